"""Where a course sends its notices besides the mail: one address, and a row for everything that it is told."""

import base64
import secrets
import uuid

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import record
from common.fields import EncryptedField
from courses.notices import Kind
from providers.addresses import WEBHOOKS, check_address
from providers.webhooks import MARK, SHORTEST

TEST = "test"


def check_public(text):
    check_address(text, exempt=WEBHOOKS)


def new_secret():
    return MARK + base64.b64encode(secrets.token_bytes(SHORTEST)).decode()


class HookQuerySet(CourseRows):
    @transaction.atomic
    def point(self, course, url, by=None):
        """(hook, secret): the secret is told when it is new, else empty. Another address gets another secret."""
        here = self.select_for_update().filter(course=course).first()
        if here and here.url == url and here.is_active:
            return here, ""
        before = {"url": here.url} if here else None
        hook, secret = here or self.model(course=course), new_secret()
        if here and here.url == url:
            secret = ""
        else:
            hook.secret = secret
        hook.url, hook.is_active, hook.since = url, True, timezone.now()
        hook.full_clean(exclude=["secret"])
        hook.save()
        record(by, "webhook.set", hook, course, before=before, after={"url": url})
        return hook, secret


class Hook(models.Model):
    course = models.OneToOneField("courses.Course", models.CASCADE, related_name="hook")
    url = models.CharField(
        _("address"), max_length=500, validators=[check_public],
        help_text=_("https, and on the public internet"),
    )  # fmt: skip
    secret = EncryptedField()
    is_active = models.BooleanField(_("active"), default=True)
    since = models.DateTimeField(_("since"), default=timezone.now)

    objects = HookQuerySet.as_manager()
    COURSE = "course"
    SEEN_WITH = "manage"

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("webhook of a course"), _("webhooks of courses")

    def __str__(self):
        return self.url

    @transaction.atomic
    def renew_secret(self, by=None) -> str:
        self.secret = new_secret()
        self.save(update_fields=["secret"])
        record(by, "webhook.secret", self, self.course)
        return self.secret

    def test(self, by=None):
        """A call that says nothing, sent with the next sweep."""
        return self.calls.create(kind=TEST, key=uuid.uuid4().hex)

    @transaction.atomic
    def remove(self, by=None):
        record(by, "webhook.remove", self, self.course, before={"url": self.url})
        self.delete()

    def close(self):
        """Its address is gone. Nothing more is sent until somebody saves it again."""
        Hook.objects.filter(pk=self.pk).update(is_active=False)


class HookCallQuerySet(CourseRows):
    def due(self, now):
        return self.filter(call_after__lte=now, hook__is_active=True).order_by("call_after", "pk")

    def claim(self, call, now, until) -> bool:
        """True for the one caller that may send it; due again at `until`, should that caller be killed."""
        mine = self.filter(pk=call.pk, call_after=call.call_after, attempts=call.attempts)
        return bool(mine.update(call_after=until, attempts=call.attempts + 1))


class HookCall(models.Model):
    """One thing that an address is told, until it has said 2xx or all attempts are spent."""

    class Problem(models.TextChoices):
        ADDRESS = "address", _("The address is no longer public, or not https.")
        UNREACHABLE = "unreachable", _("It could not be reached.")
        STATUS = "status", _("It answered with another status than 2xx.")

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="calls")
    kind = models.CharField(_("kind"), max_length=32, choices=[*Kind.choices, (TEST, _("Test"))])
    key = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    made = models.DateTimeField(_("made"), default=timezone.now)
    call_after = models.DateTimeField(null=True, default=timezone.now, db_index=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    answered = models.DateTimeField(_("answered"), null=True)
    problem = models.CharField(_("problem"), max_length=16, choices=Problem.choices, blank=True)
    status = models.PositiveIntegerField(_("status of the answer"), null=True)

    objects = HookCallQuerySet.as_manager()
    COURSE = "hook__course"
    SEEN_WITH = "manage"

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["hook", "kind", "key"], name="each_called_once")]
        verbose_name, verbose_name_plural = _("call of a webhook"), _("calls of webhooks")

    def __str__(self):
        return self.get_kind_display()
