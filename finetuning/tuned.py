"""What came of a job: tuned models, and the deployments under whose names they can be called."""

import uuid
from datetime import timedelta
from decimal import Decimal

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import User, record
from accounts.roles import Role
from common.states import Refused, Stateful, Sweepable, SweepQuerySet
from courses.notices import Kind, Notice
from finetuning.states import SUCCEEDED
from providers.models import LedgerEntry, Model, OverBudget, Provider

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EARLY = timedelta(minutes=15)  # for as long a provider may not know a model yet that it has named
IDLE = timedelta(days=7)
HOURS = 24  # of hosting are held at a time
CALLABLE = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}\Z", _("Latin letters, digits and . _ : / @ - only.")
)


class DeploymentState(models.TextChoices):
    REQUESTED = "requested", _("to be put up")
    WAITING = "waiting", _("being put up")
    READY = "ready", _("ready")
    ENDING = "ending", _("being taken down")
    ENDED = "ended", _("taken down")
    FAILED = "failed", _("failed")


REQUESTED, WAITING, READY, ENDING, ENDED, FAILED = DeploymentState
OPEN = [REQUESTED, WAITING, READY, ENDING]


class TunedModel(models.Model):
    """What a job brought forth; `name` is the provider's. A checkpoint may be a model of its own."""

    job = models.ForeignKey("finetuning.Job", models.PROTECT, related_name="tuned_models")
    checkpoint = models.OneToOneField("finetuning.Checkpoint", models.PROTECT, null=True, blank=True)
    name = models.CharField(_("name"), max_length=300)
    made = models.DateTimeField(_("made"), auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "job__version__dataset__course"

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="each_tuned_model_once")]
        verbose_name, verbose_name_plural = _("tuned model"), _("tuned models")

    def __str__(self):
        return self.name

    @property
    def way(self) -> str:
        """How its provider lets it be called: "" at once, "manual" by a person there, "models_v0" by us."""
        return self.job.provider.can("deploy")

    @property
    def hourly(self) -> Decimal | None:
        """US dollars per hour of a deployment, where that is known."""
        return self.job.model.price("hosting") if self.way else None

    @property
    def last_deployment(self):
        return self.deployments.select_related("provider").first()

    @property
    def deployment(self):
        """The one that answers now, or None."""
        return self.deployments.filter(state=READY).first()

    def callable_deployment(self):
        """The one that answers now; Refused with what to do where there is none."""
        ready = self.deployment
        if ready is None:
            raise Refused(now_("%s is deployed nowhere. Deploy it on the page of its job first.") % self)
        return ready


class DeploymentQuerySet(SweepQuerySet, CourseRows):
    def open(self):
        return self.filter(state__in=OPEN)

    def up(self):
        return self.filter(state=READY)

    @transaction.atomic
    def start(self, tuned_model, name="", by=None):
        """A deployment of this model, its first day's money held. While one is open, that one."""
        TunedModel.objects.select_for_update().get(pk=tuned_model.pk)
        job = tuned_model.job
        here = self.open().filter(tuned_model=tuned_model).first()
        if here and here.state == ENDING:
            raise Refused(now_("%s is being taken down. Wait until that is done.") % here)
        if here:
            return here
        if tuned_model.hourly and job.course.two_person and not (by and by.is_staff):
            raise Refused(now_("Under the two-person rule staff put up what costs money while it is up."))
        deployment = self.model(
            tuned_model=tuned_model, provider=job.provider, by=by, ends=job.model.serve_until
        )
        deployment.hourly = tuned_model.hourly
        if deployment.way == "models_v0":
            deployment.name, deployment.next_poll_at = f"coursetune-{uuid.uuid4().hex}", timezone.now()
        elif not deployment.way:
            deployment.name = tuned_model.name
        deployment.hold(by)
        deployment.save()
        deployment.moves.create(state=deployment.state, by=by)
        record(by, "deployment.start", deployment, job.course, model=tuned_model.name)
        if not deployment.way:
            deployment.rise()
        elif name and deployment.way == "manual":
            deployment.call_it(name, by=by)
        return deployment

    def follow_bases(self):
        """The last day of a deployment is that of its base model, wherever that has moved."""
        base = Model.objects.filter(jobs__tuned_models=models.OuterRef("tuned_model"))
        return self.open().update(ends=models.Subquery(base.values("serve_until")[:1]))


class Deployment(Stateful, Sweepable):
    """Where a tuned model can be called, and by what name; what that costs while it is up."""

    State = DeploymentState
    MOVES = {
        REQUESTED: [WAITING, READY, FAILED, ENDING, ENDED],
        WAITING: [READY, FAILED, ENDING, ENDED],
        READY: [ENDING, ENDED],
        ENDING: [ENDED],
        ENDED: [],
        FAILED: [],
    }

    tuned_model = models.ForeignKey(TunedModel, models.CASCADE, related_name="deployments")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="deployments")
    name = models.CharField(_("callable name"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=REQUESTED)
    ends = models.DateField(_("ends"), null=True, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    made = models.DateTimeField(_("made"), default=timezone.now)
    up_since = models.DateTimeField(_("up since"), null=True, blank=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    hourly = models.DecimalField(
        _("US dollars per hour"), max_digits=12, decimal_places=4, null=True, blank=True
    )
    billed_to = models.DateTimeField(null=True, blank=True, help_text=_("hours before it are settled"))
    ledger = models.OneToOneField(
        LedgerEntry, models.SET_NULL, null=True, blank=True, related_name="deployment"
    )

    objects = DeploymentQuerySet.as_manager()
    COURSE = "tuned_model__job__version__dataset__course"

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tuned_model"], condition=models.Q(state__in=OPEN), name="one_open_deployment"
            )
        ]
        verbose_name, verbose_name_plural = _("deployment"), _("deployments")

    def __str__(self):
        return self.name or self.tuned_model.name

    @property
    def course(self):
        return self.tuned_model.job.course

    @property
    def way(self) -> str:
        return self.provider.can("deploy")

    @property
    def is_moving(self):
        """The sweep is at it."""
        return self.state in (REQUESTED, WAITING, ENDING) and self.next_poll_at is not None

    @property
    def is_nameable(self):
        return self.way == "manual" and self.state in (REQUESTED, WAITING)

    @property
    def is_early(self):
        """Its provider may not know the name yet."""
        return timezone.now() - self.made < EARLY

    @property
    def in_use(self):
        """Itself while it answers, else what has taken its place; None where nothing has."""
        return self if self.state == READY else self.tuned_model.deployment

    @transaction.atomic
    def call_it(self, name, by=None):
        """The name that a person has given it at the provider; whether it answers is tried from here on."""
        if self.way != "manual":
            raise Refused(now_("%s names its deployments itself.") % self.provider)
        CALLABLE(name)
        Provider.objects.select_for_update().get(pk=self.provider_id)
        if self._is_of_others(name):
            raise Refused(
                now_("“%s” is the name of another model. Give the name of this one’s deployment.") % name
            )
        self._move(
            WAITING, by=by, note=name, sources=[REQUESTED, WAITING], name=name, next_poll_at=timezone.now(),
            made=timezone.now(), attempts=0, problem="",
        )  # fmt: skip
        record(by, "deployment.name", self, self.course, name=name)

    def _is_of_others(self, name):
        others = Deployment.objects.filter(provider=self.provider, name=name).exclude(
            tuned_model=self.tuned_model
        )
        tuned = TunedModel.objects.filter(job__model__provider=self.provider, name=name)
        bases = Model.objects.filter(provider=self.provider, name=name)
        return any(rows.exists() for rows in (others, tuned.exclude(pk=self.tuned_model_id), bases))

    def rise(self, **changes):
        """It answers; from here on each hour begun is paid."""
        now = timezone.now()
        watched = self.hourly or self.way == "models_v0"
        self._move(
            READY, up_since=now, billed_to=now, problem="", attempts=0,
            next_poll_at=now + HOUR if watched else None, **changes,
        )  # fmt: skip

    @transaction.atomic
    def remove(self, by=None, note=""):
        """Take it down: where we put it up, at the provider first."""
        record(by, "deployment.remove", self, self.course, before=self.state)
        if self.way == "models_v0":
            self._move(ENDING, by=by, note=note, next_poll_at=timezone.now(), attempts=0, problem="")
        else:
            self.close(ENDED, by=by, note=note)

    @transaction.atomic
    def close(self, state, by=None, note="", problem=""):
        """The last move, and the money that is not settled yet."""
        self._move(state, by=by, note=note, ended=timezone.now(), next_poll_at=None, problem=problem)
        if self.ledger:
            self._settle(self.unpaid_hours)

    def fail(self, text):
        self.close(FAILED, note=text, problem=text)

    def _remember(self, to, by, note):
        super()._remember(to, by, note)
        if to == FAILED and self.by:
            self._tell(Kind.DEPLOYMENT_FAILED, f"{self.pk}", [self.by])

    def _tell(self, kind, key, people):
        job = self.tuned_model.job
        Notice.objects.tell(self.course, kind, key, people, job=job.pk, model=self.tuned_model.name)

    @property
    def unpaid_hours(self) -> int:
        """Hours begun since the last that was settled; none before it was up."""
        return self._hours_since(self.billed_to) if self.up_since else 0

    @property
    def spent(self) -> Decimal:
        """US dollars since it is up, hours begun counted whole."""
        return self.hourly * self._hours_since(self.up_since) if self.hourly and self.up_since else Decimal(0)

    def _hours_since(self, moment):
        return max(1, -(-((self.ended or timezone.now()) - moment) // HOUR))

    def hold(self, by=None):
        """Reserve the next day of hosting, or OverBudget."""
        if self.hourly:
            self.ledger = LedgerEntry.objects.reserve(
                self.course,
                LedgerEntry.Purpose.HOSTING,
                self.tuned_model.job.model,
                0,
                self.hourly * HOURS,
                by=by,
            )

    def _settle(self, hours):
        self.ledger.settle(self.hourly * hours)

    @transaction.atomic
    def renew(self):
        """Settle each day that is over and hold the next. Where the month has no room for it, take it down."""
        while self.ledger and self.state == READY and timezone.now() >= self.billed_to + DAY:
            self._settle(HOURS)
            self.billed_to += DAY
            self.ledger = None
            self.hourly = self.tuned_model.hourly
            held = self._held_next()
            self.save(update_fields=["billed_to", "ledger", "hourly"])
            if not held:
                self._stop()

    def _held_next(self) -> bool:
        try:
            self.hold(self.by)
        except OverBudget:
            return False
        return True

    def _stop(self):
        self.remove(note=now_("The budget has no room for another day."))
        self._tell(Kind.DEPLOYMENT_STOPPED, f"{self.pk}", self._owners())

    def _owners(self):
        rows = self.course.memberships.filter(role=Role.OWNER).select_related("user")
        return {each.user for each in rows} | ({self.by} if self.by else set())

    def warn_if_idle(self):
        """Tell those who pay that nobody has asked it anything for a week, once a week without use."""
        last = max(filter(None, (self.up_since, self.last_used)))
        if self.hourly and timezone.now() - last > IDLE:
            self._tell(Kind.DEPLOYMENT_IDLE, f"{self.pk}:{last:%Y-%m-%d}", self._owners())

    def note_use(self):
        """Somebody asks it; written once an hour at most, and only where idleness is watched."""
        now = timezone.now()
        if self.hourly and (self.last_used is None or now - self.last_used > HOUR):
            Deployment.objects.filter(pk=self.pk).update(last_used=now)


class DeploymentMove(models.Model):
    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="moves")
    state = models.CharField(max_length=16, choices=DeploymentState.choices)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("move of a deployment"), _("moves of deployments")

    def __str__(self):
        return self.get_state_display()


@transaction.atomic
def succeed(job, model_name, **changes):
    """The last move of a good job, and the model it made; where nothing has to be put up, it can be called."""
    job.advance_to(SUCCEEDED, problem="", **changes)
    tuned, _made = TunedModel.objects.get_or_create(job=job, name=model_name, checkpoint=None)
    if not job.provider.can("deploy") and not tuned.deployments.exists():
        Deployment.objects.start(tuned, by=job.by)
    return tuned
