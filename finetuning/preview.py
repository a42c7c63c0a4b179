"""What a training will do, when, and for how much, before anybody has started it."""

from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.states import Refused
from common.templatetags.ui import money, thousands
from finetuning import hyperparameters as hyper
from finetuning.models import Job
from finetuning.states import RUNNING, SUCCEEDED, Method
from providers.ledger import Budget, plain
from providers.models import Model

PAST_JOBS = 20


@dataclass
class Preview:
    """`tokens` are of one epoch, sums US dollars, `seconds` None where no past job tells."""

    model: Model
    examples: int
    tokens: int
    epochs: int
    price: Decimal | None
    cost: Decimal | None
    free: Decimal
    seconds: float | None
    needs_approval: bool
    problem: str

    @property
    def total_tokens(self) -> int:
        return self.tokens * self.epochs

    @property
    def over(self) -> bool:
        """More than the course may still spend this month."""
        return bool(self.cost) and self.cost > self.free

    @property
    def left(self) -> Decimal:
        return max(self.free - (self.cost or 0), Decimal(0))

    @property
    def formula(self) -> str:
        if self.cost is None:
            return ""
        words = {
            "tokens": thousands(self.tokens), "epochs": self._epochs(), "price": f"${plain(self.price)}",
        }  # fmt: skip
        return _("%(tokens)s tokens × %(epochs)s × %(price)s per 1M tokens") % words

    @property
    def text(self) -> str:
        return " ".join(filter(None, [self._what(), self._price(), self._budget(), self._when()]))

    def _what(self):
        words = {
            "model": self.model.name, "provider": self.model.provider, "epochs": self._epochs(),
            "examples": ngettext("%d example", "%d examples", self.examples) % self.examples,
            "tokens": thousands(self.tokens), "total": thousands(self.total_tokens),
        }  # fmt: skip
        told = _(
            "Trains %(model)s at %(provider)s on %(examples)s (%(tokens)s tokens), %(epochs)s: "
            "about %(total)s tokens."
        )
        return told % words

    def _epochs(self):
        return ngettext("%d epoch", "%d epochs", self.epochs) % self.epochs

    def _price(self):
        if self.cost is None:
            return ""
        return _("Estimated: %(cost)s (%(formula)s).") % {"cost": money(self.cost), "formula": self.formula}

    def _budget(self):
        if not self.cost:
            return ""
        told = _("That leaves %(left)s of this month's budget.")
        if self.over:
            told = _(
                "That is over the %(free)s that this course may still spend this month; "
                "an owner or staff can raise the budget."
            )
        return told % {"left": dollars(self.left), "free": dollars(self.free)}

    def _when(self):
        waits = _("It waits until another owner or staff agrees.")
        start = waits if self.needs_approval else _("It is sent at once.")
        return start if self.seconds is None else f"{start} {self._usually()}"

    def _usually(self):
        minutes = max(1, round(self.seconds / 60))
        told = ngettext(
            "By past jobs at this provider it takes about %d minute.",
            "By past jobs at this provider it takes about %d minutes.",
            minutes,
        )
        return told % minutes


def dollars(amount) -> str:
    return f"${amount:,.2f}" if amount else "$0"


def preview(version, model, hyperparameters=None, method=Method.SUPERVISED, **_others) -> Preview:
    """For the settings that a job would be started with; ValidationError for those that no job takes."""
    values = hyper.check(hyperparameters or {}, model.provider, method)
    hyper.check_against(version, values)
    job = Job(version=version, model=model, hyperparameters=values, method=method)
    count, (tokens, cost) = version.trained(job.is_dpo), job.estimated()
    budget = Budget.objects.now(job.course)
    return Preview(
        model=model, examples=count["examples"], tokens=count["tokens"], epochs=job.epochs,
        price=model.price("train"), cost=cost, free=budget.free if budget else Decimal(0),
        seconds=usual_seconds(model, tokens), needs_approval=bool(cost) and job.course.two_person,
        problem=refusal(version, model, method),
    )  # fmt: skip


def refusal(version, model, method):
    try:
        Job.objects.refuse_unfit(version, model, method)
    except Refused as refused:
        return str(refused)
    return ""


def usual_seconds(model, tokens) -> float | None:
    """The median pace of past jobs on this model, else of its provider, for so many tokens."""
    past = Job.objects.filter(state=SUCCEEDED, trained_tokens__gt=0, moves__state=RUNNING)
    for jobs in (past.filter(model=model), past.filter(model__provider=model.provider)):
        times = jobs.values_list("moves__at", "ended", "trained_tokens")[:PAST_JOBS]
        if paces := [(ended - begun).total_seconds() / count for begun, ended, count in times]:
            return median(paces) * tokens
    return None
