from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import User, record
from common.states import Refused, Stateful, Sweepable, SweepQuerySet
from courses.notices import Notice
from datasets.models import Version, VersionExample
from datasets.states import Split
from evaluation.scoring import METRICS, interval
from evaluation.states import CANCELLED, DONE, FAILED, MOVES, RUNNING, EvaluationState, Outcome, Side
from finetuning.models import Deployment
from providers.models import LedgerEntry, Model, Provider
from providers.pricing import answer_cost

LONGER_THAN_REFERENCE = 2


class EvaluationQuerySet(SweepQuerySet, CourseRows):
    def counted(self):
        """Each with how many answers it wants, so that a list of them asks for `progress` once."""
        open_still = models.Q(arms__answers__answered=None)
        return self.annotate(
            asked=models.Count("arms__answers"),
            unanswered=models.Count("arms__answers", filter=open_still),
        ).order_by("-pk")

    @transaction.atomic
    def start(self, tuned_model, by=None, most=50):
        """Base and tuned model on the held-out examples, `most` of them at most; the money is held first."""
        version = tuned_model.job.version
        deployment = tuned_model.callable_deployment()
        Version.objects.select_for_update().get(pk=version.pk)
        running = self.filter(state=RUNNING, arms__deployment=deployment).first()
        if running:
            return running
        split, examples = held_out(version, most)
        evaluation = self.model(version=version, split=split, by=by, next_poll_at=timezone.now())
        evaluation.ledger = evaluation.reserve(tuned_model.job.model, examples, by)
        evaluation.save()
        evaluation.moves.create(state=RUNNING, by=by)
        deployment.note_use()
        base = tuned_model.job.model
        for side, name, where in [(Side.BASE, base.name, None), (Side.TUNED, deployment.name, deployment)]:
            arm = evaluation.arms.create(
                side=side, provider=base.provider, model=base, deployment=where, name=name
            )
            Answer.objects.bulk_create([Answer(arm=arm, example=each) for each in examples])
        record(by, "evaluation.start", evaluation, version.dataset.course, examples=len(examples))
        return evaluation


def held_out(version, most):
    """(split, examples): the test set, or the validation set where there is no test set."""
    for split in (Split.TEST, Split.VALIDATION):
        found = list(version.examples.filter(split=split).order_by("position"))
        if found:
            step = max(1, -(-len(found) // most))
            return split, found[::step]
    raise Refused(now_("This version holds no test examples. Freeze one with a test share."))


class Evaluation(Stateful, Sweepable):
    """Base and tuned model side by side on examples that neither has seen."""

    MOVES = MOVES

    version = models.ForeignKey(Version, models.PROTECT, related_name="evaluations")
    split = models.CharField(_("split"), max_length=16, choices=Split.choices)
    state = models.CharField(_("state"), max_length=16, choices=EvaluationState.choices, default=RUNNING)
    ledger = models.OneToOneField(LedgerEntry, models.PROTECT, related_name="evaluation")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(_("created"), auto_now_add=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = EvaluationQuerySet.as_manager()
    COURSE = "version__dataset__course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("evaluation"), _("evaluations")

    def __str__(self):
        return now_("Evaluation %s") % self.pk

    @property
    def course(self):
        return self.version.dataset.course

    def reserve(self, model, examples, by):
        tokens = sum(example.tokens for example in examples) * 2
        money = answer_cost(model, tokens, tokens * LONGER_THAN_REFERENCE)
        return LedgerEntry.objects.reserve(
            self.course, LedgerEntry.Purpose.EVALUATION, model, tokens, money, by=by
        )

    def pending(self):
        return Answer.objects.filter(arm__evaluation=self, answered=None)

    @property
    def progress(self):
        """Share of the answers that are in, 0 to 1."""
        counted = self if hasattr(self, "asked") else Evaluation.objects.counted().get(pk=self.pk)
        return 1 - counted.unanswered / counted.asked if counted.asked else 1

    @transaction.atomic
    def finish(self):
        """Verdicts from the answers, and the money that they cost."""
        self._settle()
        for metric in METRICS:
            Verdict.draw(self, metric)
        self._move(DONE, ended=timezone.now(), next_poll_at=None, problem="")

    @transaction.atomic
    def fail(self, text):
        self._move(FAILED, note=text, ended=timezone.now(), next_poll_at=None, problem=text)
        self._settle()

    def _remember(self, to, by, note):
        super()._remember(to, by, note)
        if to in (DONE, FAILED) and self.by:
            model = self.arms.get(side=Side.TUNED).name
            Notice.objects.tell(
                self.course, f"evaluation.{to}", self.pk, [self.by], evaluation=self.pk, model=model
            )

    @transaction.atomic
    def cancel(self, by=None):
        record(by, "evaluation.cancel", self, self.course)
        self._move(CANCELLED, by=by, ended=timezone.now(), next_poll_at=None)
        self._settle()

    def _settle(self):
        spent = Answer.objects.filter(arm__evaluation=self).aggregate(
            money=models.Sum("cost", default=0), tokens=models.Sum("tokens", default=0)
        )
        self.ledger.settle(spent["money"], spent["tokens"])


class EvaluationMove(models.Model):
    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="moves")
    state = models.CharField(max_length=16, choices=EvaluationState.choices)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.get_state_display()


class Arm(models.Model):
    """One of the models compared. The base model has no deployment."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="arms")
    side = models.CharField(max_length=8, choices=Side.choices)
    provider = models.ForeignKey(Provider, models.PROTECT)
    model = models.ForeignKey(Model, models.PROTECT)
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, blank=True)
    name = models.CharField(_("callable name"), max_length=300)

    objects = CourseRows.as_manager()
    COURSE = "evaluation__version__dataset__course"

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "side"], name="one_arm_a_side")]
        verbose_name, verbose_name_plural = _("arm"), _("arms")

    def __str__(self):
        return f"{self.get_side_display()}: {self.name}"


class Answer(models.Model):
    arm = models.ForeignKey(Arm, models.CASCADE, related_name="answers")
    example = models.ForeignKey(VersionExample, models.PROTECT, related_name="answers")
    text = models.TextField(blank=True)
    tokens = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    scores = models.JSONField(default=dict)
    answered = models.DateTimeField(null=True)

    objects = CourseRows.as_manager()
    COURSE = "arm__evaluation__version__dataset__course"

    class Meta:
        ordering = ["example__position", "arm"]
        constraints = [models.UniqueConstraint(fields=["arm", "example"], name="one_answer_each")]
        verbose_name, verbose_name_plural = _("answer"), _("answers")

    def __str__(self):
        return self.text[:80]


class Verdict(models.Model):
    """Mean of each side, their difference, and the interval in which it lies with 95 % confidence."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="verdicts")
    metric = models.CharField(max_length=32)
    examples = models.PositiveIntegerField()
    base = models.FloatField()
    tuned = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)

    objects = CourseRows.as_manager()
    COURSE = "evaluation__version__dataset__course"

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "metric"], name="one_verdict_a_metric")]
        verbose_name, verbose_name_plural = _("verdict"), _("verdicts")

    def __str__(self):
        return f"{self.metric}: {self.get_outcome_display()}"

    @property
    def difference(self) -> float:
        return self.tuned - self.base

    @classmethod
    def draw(cls, evaluation, metric):
        pairs = paired(evaluation, metric)
        differences = [tuned - base for base, tuned in pairs]
        low, high = interval(differences)
        outcome = Outcome.BETTER if low > 0 else Outcome.WORSE if high < 0 else Outcome.UNCLEAR
        return cls.objects.create(
            evaluation=evaluation, metric=metric, examples=len(pairs), outcome=outcome, low=low, high=high,
            base=sum(base for base, _tuned in pairs) / len(pairs),
            tuned=sum(tuned for _base, tuned in pairs) / len(pairs),
        )  # fmt: skip


def paired(evaluation, metric):
    """[(base, tuned)] scores of the examples that both have answered."""
    by_side = {Side.BASE: {}, Side.TUNED: {}}
    for answer in Answer.objects.filter(arm__evaluation=evaluation).select_related("arm"):
        by_side[answer.arm.side][answer.example_id] = answer.scores[metric]
    return [(score, by_side[Side.TUNED][key]) for key, score in by_side[Side.BASE].items()]
