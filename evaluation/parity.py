"""Two tuned models of the same version on the same held-out examples: is the new one as good as the old?"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from django.db.models import TextChoices
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.access import find
from evaluation.models import Answer, Evaluation
from evaluation.report import HeldOut, Sample, held_out
from evaluation.scoring import METRICS, interval
from evaluation.states import DONE, RUNNING, Side
from finetuning.models import TunedModel

SHOWN = 5


class Parity(TextChoices):
    BETTER = "better", _("the new one is better")
    WORSE = "worse", _("the new one is worse")
    UNCLEAR = "unclear", _("no difference shown")


@dataclass
class Tried:
    """A tuned model with its last finished evaluation, or with the one that is running; None where there is none."""

    model: TunedModel
    done: Evaluation | None
    running: Evaluation | None
    held_out: HeldOut

    @classmethod
    def of(cls, model):
        rows = Evaluation.objects.filter(arms__deployment__tuned_model=model, state__in=(DONE, RUNNING))
        done, running = (rows.filter(state=state).order_by("-pk").first() for state in (DONE, RUNNING))
        return cls(model, done, running, held_out(model.job))

    def answers(self):
        """{key of the example: answer}"""
        rows = Answer.objects.filter(arm__evaluation=self.done, arm__side=Side.TUNED).exclude(answered=None)
        return {row.example_id: row for row in rows.select_related("example__version")} if self.done else {}


@dataclass
class Measure:
    """Mean of the old and of the new model, 0 to 100, and the 95 % interval of the mean paired difference."""

    metric: str
    old: float
    new: float
    low: float
    high: float

    @property
    def difference(self):
        return self.new - self.old

    @property
    def gap(self):
        return abs(self.difference)

    @property
    def outcome(self):
        return Parity.BETTER if self.low > 0 else Parity.WORSE if self.high < 0 else Parity.UNCLEAR


@dataclass
class Report:
    """`samples` hold the old model's answer as base and the new one's as tuned, the largest difference first."""

    old: Tried
    new: Tried
    measures: list[Measure]
    samples: list[Sample]

    @property
    def sides(self):
        return [self.old, self.new]

    @property
    def main(self):
        return self.measures[0] if self.measures else None

    @property
    def is_running(self):
        return any(each.running and not each.done for each in self.sides)

    @property
    def lacks(self):
        """The models that no evaluation has asked or is asking."""
        return [each.model for each in self.sides if not each.done and not each.running]

    def start(self, by=None):
        """Evaluate whatever has not been evaluated."""
        for model in self.lacks:
            Evaluation.objects.start(model, by=by)


def compared(course, user, old, new) -> Report:
    """Of two tuned models of this course; 404 unless they come from the same version, each by a training of its own."""
    models = [find(TunedModel, pk, user) for pk in (old, new)]
    versions = {model.job.version_id for model in models}
    if any(model.job.course != course for model in models) or len(versions) > 1 or old == new:
        raise Http404
    sides = [Tried.of(model) for model in models]
    pairs = paired(*(each.answers() for each in sides))
    measures = [measure(metric, pairs) for metric in METRICS] if pairs else []
    return Report(*sides, measures, sorted(pairs, key=lambda sample: -abs(sample.gain)))


def paired(old, new) -> list[Sample]:
    """The examples that both have answered, in their order."""
    return [
        Sample(row.example.question, row.example.answer, row, new[key])
        for key, row in old.items()
        if key in new
    ]


def measure(metric, pairs) -> Measure:
    scores = [(pair.base.scores[metric], pair.tuned.scores[metric]) for pair in pairs]
    low, high = _bounds(tuple(new - old for old, new in scores))
    old, new = (sum(side) / len(pairs) for side in zip(*scores, strict=True))
    return Measure(metric, old, new, low, high)


@lru_cache(maxsize=256)
def _bounds(differences: tuple):
    """The bootstrap is the same for the same numbers, and a page with a thousand of them takes a second."""
    return interval(list(differences))


def pairs(models):
    """[(old, new)] of the newest models of each base model on which the same version was trained."""
    newest = {}
    for model in sorted(models, key=lambda model: model.pk):
        if model.checkpoint_id is None:
            newest[model.job.version_id, model.job.model_id] = model
    by_version = {}
    for (version, _base), model in newest.items():
        by_version.setdefault(version, []).append(model)
    return [
        tuple(sorted(pair, key=lambda model: model.pk))
        for group in by_version.values()
        for pair in combinations(group, 2)
    ]
