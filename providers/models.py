from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedField
from providers.addresses import check_address
from providers.capabilities import capability, check_record
from providers.hooks.models import Hook as Hook
from providers.hooks.models import HookCall as HookCall
from providers.ledger import Budget as Budget
from providers.ledger import LedgerEntry as LedgerEntry
from providers.ledger import OverBudget as OverBudget
from providers.webhooks import KEPT_FOR, check_secret


class ProviderQuerySet(models.QuerySet):
    def usable(self, now=None):
        """Those that are switched on and not resting after failures."""
        rested = models.Q(rests_until=None) | models.Q(rests_until__lte=now or timezone.now())
        return self.filter(rested, is_active=True)

    def update(self, **changes):
        """A key belongs to an address: another address takes it away."""
        if "base_url" in changes:
            changes.setdefault("key", "")
        return super().update(**changes)


class Provider(models.Model):
    """Who trains and answers. What differs between providers is in `capabilities`, not in code."""

    class Kind(models.TextChoices):
        ENGINE = "engine", _("CourseTune engine")
        OPENAI = "openai", "OpenAI"
        AZURE = "azure", "Azure OpenAI"
        NEBIUS = "nebius", "Nebius Token Factory"
        CRUSOE = "crusoe", "Crusoe Intelligence Foundry"
        UNSLOTH = "unsloth", "Unsloth Studio"
        COMPATIBLE = "compatible", _("compatible address")

    FAILURES_IN_A_ROW = 5
    REST = (30, 600)  # seconds, at first and at most

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.COMPATIBLE)
    base_url = models.CharField(
        _("address"), max_length=200, blank=True, validators=[check_address],
        help_text=_("https, ends in /v1; empty for the engine of this installation"),
    )  # fmt: skip
    key = EncryptedField(_("key"), blank=True)
    webhook_secret = EncryptedField(_("secret of its webhook"), blank=True, validators=[check_secret])
    capabilities = models.JSONField(
        _("capabilities"), default=dict, blank=True, validators=[check_record],
        help_text=_("where it differs from others of its kind, such as {\"suffix_length\": 18}"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    rests_until = models.DateTimeField(_("rests until"), null=True, editable=False)
    tested = models.DateTimeField(_("tested"), null=True, editable=False)
    test_result = models.JSONField(_("result of the test"), default=dict, editable=False)
    models_checked = models.DateTimeField(_("models checked"), null=True, editable=False)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("provider"), _("providers")

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        """A key belongs to an address: another address takes it away, unless a new one comes with it."""
        before = self._saved_line()
        saved = update_fields is None or {"base_url", "kind"} & set(update_fields)
        if before and saved and before.address != self.address and before.key == self.key:
            self.key = ""
            update_fields = update_fields and {*update_fields, "key"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def clean(self):
        if self.is_active and not self.address:
            raise ValidationError({"base_url": now_("An active provider needs an address.")})

    def _saved_line(self):
        return (
            Provider.objects.filter(pk=self.pk).only("kind", "base_url", "key").first() if self.pk else None
        )

    def can(self, name):
        """One entry of `providers.capabilities`; KeyError for a name that is none."""
        return capability(self.kind, self.capabilities, name)

    @property
    def address(self):
        """Where it answers; the engine of this installation stands where the settings say."""
        return self.base_url or (settings.ENGINE_URL if self.kind == self.Kind.ENGINE else "")

    @property
    def secret(self):
        return self.key or (
            settings.ENGINE_KEY if self.kind == self.Kind.ENGINE and not self.base_url else ""
        )

    @property
    def key_ending(self):
        return f"…{self.key[-4:]}" if len(self.key) >= 12 else "…" if self.key else ""

    @property
    def is_resting(self):
        return bool(self.rests_until and self.rests_until > timezone.now())

    def note_success(self):
        """It answered: whatever failed before is forgotten."""
        Provider.objects.filter(pk=self.pk).exclude(failures=0, rests_until=None).update(
            failures=0, rests_until=None
        )

    def note_failure(self):
        """It did not answer. From the fifth failure in a row it is left alone, each time for longer."""
        now, here = timezone.now(), Provider.objects.filter(pk=self.pk)
        here.update(failures=models.F("failures") + 1)
        self.refresh_from_db(fields=["failures", "rests_until"])
        over = self.failures - self.FAILURES_IN_A_ROW
        if over < 0:
            return
        first, most = self.REST
        rests_until = now + timedelta(seconds=min(most, first * 2 ** min(over, 10)))
        awake = models.Q(rests_until=None) | models.Q(rests_until__lte=now)
        here.filter(awake, failures=self.failures).update(rests_until=rests_until)
        self.refresh_from_db(fields=["rests_until"])


class ModelQuerySet(models.QuerySet):
    def open(self):
        """Models whose providers still tune them, whether or not one is set up here."""
        open_still = models.Q(train_until=None) | models.Q(train_until__gte=timezone.localdate())
        return self.filter(open_still, trainable=True).select_related("provider")

    def trainable(self):
        """Models that a job can be started on here and today."""
        return self.open().filter(provider__is_active=True)


class Model(models.Model):
    """A base model at a provider: its limits, its languages, the dates on which it closes."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="models", verbose_name=_("provider"))
    name = models.CharField(_("name"), max_length=200, help_text=_("as the provider calls it"))
    context_tokens = models.PositiveIntegerField(_("context, tokens"))
    example_tokens = models.PositiveIntegerField(
        _("limit of a training example, tokens"), help_text=_("longer ones are refused before training")
    )
    languages = models.CharField(_("languages"), max_length=100, blank=True, help_text=_("codes, by comma"))
    licence = models.CharField(_("licence"), max_length=100, blank=True)
    trainable = models.BooleanField(_("can be tuned"), default=True)
    train_until = models.DateField(
        _("tuning closes"), null=True, blank=True, help_text=_("the last day; empty: not announced")
    )
    serve_until = models.DateField(
        _("shuts down"), null=True, blank=True, help_text=_("the last day, also of models tuned on it")
    )
    dates_source = models.CharField(
        _("source of the dates"), max_length=300, blank=True, help_text=_("where and when they were read")
    )

    objects = ModelQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="one_row_per_model")]
        verbose_name, verbose_name_plural = _("base model"), _("base models")

    def __str__(self):
        return f"{self.name} ({self.provider})"

    def speaks(self, language):
        return not self.languages or language in [code.strip() for code in self.languages.split(",")]

    def price(self, what, on=None) -> Decimal | None:
        """US dollars on a day per 1M tokens (train, input, cached, output) or per hour (hosting); None if unknown."""
        day = on or timezone.localdate()
        known = [row for row in self.prices.all() if row.what == what and row.valid_from <= day]
        return max(known, key=lambda row: row.valid_from).amount if known else None


class Price(models.Model):
    class What(models.TextChoices):
        TRAIN = "train", _("training")
        INPUT = "input", _("input")
        CACHED = "cached", _("cached input")
        OUTPUT = "output", _("output")
        HOSTING = "hosting", _("an hour of a deployment")

    model = models.ForeignKey(Model, models.CASCADE, related_name="prices", verbose_name=_("base model"))
    what = models.CharField(_("for"), max_length=8, choices=What.choices)
    amount = models.DecimalField(
        _("US dollars"), max_digits=12, decimal_places=4, help_text=_("per 1M tokens; hosting: per hour")
    )
    valid_from = models.DateField(_("valid from"), help_text=_("the newest that is not in the future counts"))
    source = models.CharField(_("source"), max_length=300, help_text=_("where and when it was read"))

    class Meta:
        ordering = ["model", "what", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["model", "what", "valid_from"], name="one_price_a_day"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="price_not_negative"),
        ]
        verbose_name, verbose_name_plural = _("price"), _("prices")

    def __str__(self):
        return f"{self.model.name} {self.get_what_display()} ${self.amount}"


class Upload(models.Model):
    """A file that stands at a provider: sent once per content."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="uploads")
    sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=32, default="fine-tune")
    remote_id = models.CharField(max_length=200)
    bytes = models.PositiveBigIntegerField()
    sent = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "sha256", "purpose"], name="one_upload_per_content")
        ]
        verbose_name, verbose_name_plural = _("upload"), _("uploads")

    def __str__(self):
        return self.remote_id


class DeliveryQuerySet(models.QuerySet):
    def forget_old(self, now=None):
        """Those that can come no more: their timestamps are too old by now."""
        return self.filter(at__lt=(now or timezone.now()) - KEPT_FOR).delete()[0]


class Delivery(models.Model):
    """A webhook that came with the provider's signature, kept so that it counts once."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="deliveries")
    webhook_id = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "webhook_id"], name="each_delivery_once")]
        verbose_name, verbose_name_plural = _("delivery"), _("deliveries")

    def __str__(self):
        return self.webhook_id
