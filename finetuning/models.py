import uuid

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.approving import check_second_person
from accounts.models import User, record
from common.states import IllegalMove, Refused, Stateful, Sweepable, SweepQuerySet
from courses.notices import Notice
from datasets.formats import canonical, digest
from datasets.models import Version
from datasets.splitting import FEWEST_TRAIN
from datasets.states import Split
from finetuning import hyperparameters as hyper
from finetuning.states import (
    CANCELLED,
    FAILED,
    FINAL,
    INTENDED,
    LIVE,
    MOVES,
    PAUSABLE,
    PAUSED,
    PROPOSED,
    JobState,
    Method,
)  # fmt: skip
from finetuning.tuned import Deployment as Deployment
from finetuning.tuned import DeploymentMove as DeploymentMove
from finetuning.tuned import TunedModel
from finetuning.tuned import succeed as succeed
from providers.models import LedgerEntry, Model
from providers.pricing import auto_epochs, training_cost


class JobQuerySet(SweepQuerySet, CourseRows):
    def live(self):
        return self.filter(state__in=LIVE)

    @transaction.atomic
    def start(
        self, version, model, by=None, hyperparameters=None, seed=42, suffix="", retry_of=None,
        method=Method.SUPERVISED,
    ):  # fmt: skip
        """A job that waits for the sweep, its money held. The same request while one is live is that one."""
        self.refuse_unfit(version, model, method)
        values = hyper.check(hyperparameters or {}, model.provider, method)
        hyper.check_against(version, values)
        marks = [values, seed, suffix] + ([method] if method != Method.SUPERVISED else [])
        fingerprint = digest(canonical(marks))
        Version.objects.select_for_update().get(pk=version.pk)
        same = self.live().filter(version=version, model=model, fingerprint=fingerprint).first()
        if same:
            return same
        job = self.model(
            version=version, model=model, hyperparameters=values, seed=seed, suffix=suffix, method=method,
            fingerprint=fingerprint, by=by, retry_of=retry_of,
        )  # fmt: skip
        job.full_clean(exclude=["ledger", "by"])
        tokens, money = job.estimated()
        if money and job.course.two_person:
            job.state = PROPOSED
        else:
            job.next_poll_at = timezone.now()
        job.ledger = LedgerEntry.objects.reserve(
            job.course, LedgerEntry.Purpose.TRAINING, model, tokens, money, by=by
        )
        job.save()
        job.moves.create(state=job.state, by=by)
        act = "job.propose" if job.state == PROPOSED else "job.start"
        record(by, act, job, job.course, model=str(model), estimate=str(money))
        return job

    def refuse_unfit(self, version, model, method):
        """Refused where no job of this version on this model could start today."""
        if method not in model.provider.can("methods"):
            words = {"provider": model.provider, "method": Method(method).label}
            raise Refused(now_("%(provider)s does not train by “%(method)s”.") % words)
        if method == Method.DPO and version.trained(preferences=True)["examples"] < FEWEST_TRAIN:
            raise Refused(
                now_("This version has fewer than %d training examples with a worse answer: too few for DPO.")
                % FEWEST_TRAIN
            )
        if not Model.objects.trainable().filter(pk=model.pk).exists():
            raise Refused(now_("%s cannot be tuned any more. Choose another model.") % model)
        long = version.examples.filter(split=Split.TRAIN, tokens__gt=model.example_tokens).count()
        if long:
            raise Refused(
                now_("%(count)d examples are longer than the %(limit)d tokens that %(model)s takes.")
                % {"count": long, "limit": model.example_tokens, "model": model.name}
            )
        if model.price("train") is None:
            raise Refused(now_("The price of %s is not known. Staff enter it first.") % model)


class Wanted(models.TextChoices):
    """What the provider is to be asked for at the next step, besides an end."""

    PAUSE = "pause", _("pause")
    RESUME = "resume", _("resume")


class Job(Stateful, Sweepable):
    """One training at one provider, taken from its intention to its end by the sweep."""

    MOVES = MOVES

    version = models.ForeignKey(Version, models.PROTECT, related_name="jobs")
    model = models.ForeignKey(Model, models.PROTECT, related_name="jobs", verbose_name=_("base model"))
    method = models.CharField(_("method"), max_length=16, choices=Method.choices, default=Method.SUPERVISED)
    hyperparameters = models.JSONField(_("hyperparameters"), default=dict)
    settled_hyperparameters = models.JSONField(_("what auto became"), default=dict, blank=True)
    seed = models.PositiveIntegerField(_("seed"), default=42)
    suffix = models.CharField(
        _("suffix"),
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"\A[A-Za-z0-9-]*\Z", _("Latin letters, digits and hyphens only."))],
    )
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=16, choices=JobState.choices, default=INTENDED)
    raw_status = models.CharField(_("the provider says"), max_length=64, blank=True)
    remote_id = models.CharField(_("id at the provider"), max_length=200, blank=True)
    op = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    sendings = models.PositiveIntegerField(default=0)
    cancel_wanted = models.BooleanField(default=False)
    wanted = models.CharField(max_length=8, blank=True, choices=Wanted.choices, editable=False)
    error_code = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    last_event = models.CharField(max_length=200, blank=True)
    events_read = models.DateTimeField(null=True, blank=True)
    remote_mark = models.CharField(max_length=40, blank=True)
    trained_tokens = models.PositiveBigIntegerField(_("billed tokens"), null=True, blank=True)
    finishes_at = models.DateTimeField(null=True, blank=True)
    result_files = models.JSONField(_("result files"), default=list, blank=True)
    ledger = models.OneToOneField(LedgerEntry, models.PROTECT, related_name="job")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="retries")
    created = models.DateTimeField(_("created"), auto_now_add=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = JobQuerySet.as_manager()
    COURSE = "version__dataset__course"

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "model", "fingerprint"],
                condition=models.Q(state__in=LIVE),
                name="same_job_lives_once",
            ),
            models.UniqueConstraint(
                fields=["model", "remote_id"],
                condition=~models.Q(remote_id=""),
                name="one_row_per_remote_job",
            ),
        ]
        verbose_name, verbose_name_plural = _("job"), _("jobs")

    def __str__(self):
        return now_("Job %(pk)s on %(model)s") % {"pk": self.pk, "model": self.model.name}

    @property
    def course(self):
        return self.version.dataset.course

    @property
    def provider(self):
        return self.model.provider

    def estimated(self):
        """(tokens, US dollars) that training will take, by the statistics of the version."""
        tokens = self.version.trained(self.is_dpo)["tokens"]
        return tokens * self.epochs, training_cost(self.model, tokens, self.epochs)

    @property
    def epochs(self) -> int:
        """As asked for, or what `auto` is expected to become."""
        wanted = self.hyperparameters["n_epochs"]
        return auto_epochs(self.version.trained(self.is_dpo)["examples"]) if wanted == "auto" else wanted

    @property
    def is_dpo(self):
        return self.method == Method.DPO

    def advance_to(self, state, note="", **changes):
        """Move, and with the last move put down the end and the money."""
        if state in FINAL:
            changes.setdefault("ended", timezone.now())
            changes["next_poll_at"] = None
        with transaction.atomic():
            self._move(state, note=note, **changes)
            if state in FINAL:
                self._settle()

    def _remember(self, to, by, note):
        super()._remember(to, by, note)
        if to in FINAL and self.by:
            told = {"job": self.pk, "version": self.version_id, "base": str(self.model)}
            Notice.objects.tell(self.course, f"job.{to}", self.pk, [self.by], **told)

    def _settle(self):
        tokens = self.trained_tokens or 0
        price = self.model.price("train") or 0
        self.ledger.settle(price * tokens / 1_000_000, tokens)

    def fail(self, code, message):
        self.advance_to(JobState.FAILED, error_code=code[:100], error_message=message, problem="")

    @transaction.atomic
    def cancel(self, by=None):
        """Cancel at once what has not been sent; ask the provider for the rest."""
        act = "job.decline" if self.state == PROPOSED else "job.cancel"
        record(by, act, self, self.course, before=self.state)
        live = Job.objects.filter(pk=self.pk, state__in=LIVE)
        unsent = [PROPOSED, INTENDED]
        if live.exclude(state__in=unsent).update(cancel_wanted=True, next_poll_at=timezone.now()):
            self.refresh_from_db()
        else:
            self._move(CANCELLED, by=by, sources=unsent, ended=timezone.now(), next_poll_at=None)
            self._settle()

    @transaction.atomic
    def pause(self, by=None):
        """Ask the provider to stop for a while and keep a usable snapshot."""
        if not self.provider.can("pause"):
            raise Refused(now_("%s cannot pause a training. It can be cancelled.") % self.provider)
        self._want(Wanted.PAUSE, PAUSABLE, by)

    @transaction.atomic
    def resume(self, by=None):
        self._want(Wanted.RESUME, [PAUSED], by)

    def _want(self, verb, states, by):
        here = Job.objects.filter(pk=self.pk, state__in=states, cancel_wanted=False)
        if not here.update(wanted=verb, next_poll_at=timezone.now()):
            self.refresh_from_db()
            words = {"job": self, "state": self.get_state_display(), "verb": verb.label}
            raise IllegalMove(now_("%(job)s is “%(state)s”: “%(verb)s” is not possible.") % words)
        record(by, f"job.{verb}", self, self.course, before=self.state)
        self.refresh_from_db(fields=["wanted", "next_poll_at"])

    @property
    def is_set_aside(self):
        """No sweep takes it any more: its steps crashed again and again."""
        return self.state in LIVE and self.state != PROPOSED and self.next_poll_at is None

    @transaction.atomic
    def take_up(self, by=None):
        """Let the sweep have a job again that was set aside."""
        here = Job.objects.filter(pk=self.pk, state__in=LIVE, next_poll_at=None).exclude(state=PROPOSED)
        if not here.update(next_poll_at=timezone.now(), attempts=0, lease_until=None, problem=""):
            raise Refused(now_("%s was not set aside.") % self)
        record(by, "job.take_up", self, self.course)
        self.refresh_from_db()

    @transaction.atomic
    def approve(self, by):
        """A second person agrees to what costs money; from here on the sweep takes it."""
        check_second_person(by, self.by)
        self._move(INTENDED, by=by, sources=[PROPOSED], next_poll_at=timezone.now())
        record(by, "job.approve", self, self.course, before=PROPOSED, after=INTENDED)

    def retry(self, by=None):
        """The same once more, as a new job that knows the old one."""
        if self.state not in (FAILED, CANCELLED):
            raise Refused(now_("Only a job that failed or was cancelled can be tried again."))
        return Job.objects.start(
            self.version, self.model, by, self.hyperparameters, self.seed, self.suffix,
            retry_of=self, method=self.method,
        )  # fmt: skip

    @property
    def progress(self):
        """Share of the steps done, 0 to 1; None before the first step is known."""
        latest = self.events.filter(type="metrics").order_by("-pk").first()
        total = (latest.data.get("total_steps") or 0) if latest else 0
        return min(1, latest.data.get("step", 0) / total) if total else None

    @property
    def tuned(self):
        return TunedModel.objects.filter(job=self, checkpoint=None).first()


class JobMove(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="moves")
    state = models.CharField(max_length=16, choices=JobState.choices)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("move of a job"), _("moves of jobs")

    def __str__(self):
        return self.get_state_display()


class Event(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    remote_id = models.CharField(max_length=200)
    type = models.CharField(max_length=32)
    level = models.CharField(max_length=16, blank=True)
    message = models.TextField()
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects = CourseRows.as_manager()
    COURSE = "job__version__dataset__course"

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["job", "remote_id"], name="each_event_once")]
        verbose_name, verbose_name_plural = _("event"), _("events")

    def __str__(self):
        return self.message[:80]


class Metric(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="metrics")
    step = models.PositiveIntegerField()
    name = models.CharField(max_length=64)
    value = models.FloatField()

    objects = CourseRows.as_manager()
    COURSE = "job__version__dataset__course"

    class Meta:
        ordering = ["name", "step"]
        constraints = [models.UniqueConstraint(fields=["job", "step", "name"], name="each_value_once")]
        verbose_name, verbose_name_plural = _("metric"), _("metrics")

    def __str__(self):
        return f"{self.name} {self.step}: {self.value:.4g}"


class Checkpoint(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="checkpoints")
    remote_id = models.CharField(max_length=200)
    step = models.PositiveIntegerField(_("step"))
    model_name = models.CharField(_("model"), max_length=300)
    metrics = models.JSONField(default=dict)

    objects = CourseRows.as_manager()
    COURSE = "job__version__dataset__course"

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="one_checkpoint_a_step")]
        verbose_name, verbose_name_plural = _("checkpoint"), _("checkpoints")

    def __str__(self):
        return now_("step %d") % self.step

    @transaction.atomic
    def promote(self, by=None):
        """Make it a model of its own, to be evaluated and used as the job's last one is."""
        made, new = TunedModel.objects.get_or_create(
            job=self.job, name=self.model_name, defaults={"checkpoint": self}
        )
        if new:
            record(by, "checkpoint.promote", self, self.job.course, model=made.name)
        if not made.way and not made.deployments.exists():
            Deployment.objects.start(made, by=by)
        return made
