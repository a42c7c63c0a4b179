"""What was spent: the present month, sums by month, person, purpose and model, and the entries behind them."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from common.charts import StackedBars
from providers.ledger import Budget, LedgerEntry, dollars, this_month
from providers.models import Model

BY = {"month": "month", "person": "by", "purpose": "purpose", "model": "model", "course": "course"}
ON_A_COURSE = ("month", "person", "purpose", "model")
SUMS = {
    "entries": Count("pk"),
    "used": Sum("tokens", default=0),
    "estimated": Sum("estimate", default=0),
    "open": Sum("reserved", default=0),
    "billed": Sum("settled", default=0),
}
MONTHS_DRAWN = 18
HEAD = [
    "month", "person", "name", "purpose", "model", "provider", "entries", "tokens", "estimated USD",
    "reserved USD", "billed USD",
]  # fmt: skip


@dataclass
class Line:
    """One sum. What it was not summed by is None, and so is the person of an act by nobody."""

    entries: int
    tokens: int
    estimated: Decimal
    reserved: Decimal
    billed: Decimal
    month: object = None
    person: User | None = None
    purpose: str | None = None
    model: Model | None = None
    course: object = None

    @property
    def purpose_name(self):
        return LedgerEntry.Purpose(self.purpose).label if self.purpose else ""


def chosen(rows, since=None, until=None, person=None, purpose="", by=""):
    """The entries that a filter leaves; `since` and `until` are first days of months, both counted in."""
    wanted = {"month__gte": since, "month__lte": until, "by": person, "purpose": purpose}
    return rows.filter(**{name: value for name, value in wanted.items() if value})


def summed(rows, *by):
    """A queryset of sums for every combination of what `by` names; newest month, else dearest, first."""
    keys = [BY[name] for name in by]
    order = ["-month", *(key for key in keys if key != "month")] if "month" in by else ["-billed", *keys]
    return rows.order_by().values(*keys).annotate(**SUMS).order_by(*order)


def lines(sums):
    """The sums as Lines, their people, models and courses fetched by one query each."""
    sums = list(sums)
    people = User.objects.in_bulk({each["by"] for each in sums if each.get("by")})
    models = Model.objects.select_related("provider").in_bulk(
        {each["model"] for each in sums if "model" in each}
    )
    courses = LedgerEntry._meta.get_field("course").related_model.objects
    titles = courses.in_bulk({each["course"] for each in sums if "course" in each})
    return [
        Line(
            each["entries"], each["used"], *(dollars(each[name]) for name in ("estimated", "open", "billed")),
            each.get("month"), people.get(each.get("by")), each.get("purpose"),
            models.get(each.get("model")), titles.get(each.get("course")),
        )
        for each in sums
    ]  # fmt: skip


def total(rows) -> Line:
    sums = rows.aggregate(**SUMS)
    return Line(
        sums["entries"], sums["used"], *(dollars(sums[name]) for name in ("estimated", "open", "billed"))
    )


def table(rows):
    """The rows of the CSV file below HEAD."""
    for line in lines(summed(rows, *ON_A_COURSE)):
        person = line.person
        yield [
            f"{line.month:%Y-%m}", person.pk if person else "", person.called if person else "", line.purpose,
            line.model.name, line.model.provider.name, line.entries, line.tokens, line.estimated, line.reserved,
            line.billed,
        ]  # fmt: skip


class Month:
    """The present month of a course: its limit, what is reserved, billed and free."""

    def __init__(self, course):
        self.course, self.first = course, this_month()

    @cached_property
    def budget(self):
        return Budget.objects.filter(course=self.course, month=self.first).first()

    @cached_property
    def sums(self):
        return total(LedgerEntry.objects.of(self.course).filter(month=self.first))

    @property
    def limit(self):
        return self.budget.limit if self.budget else None

    @property
    def free(self):
        return self.budget.free if self.budget else Decimal(0)

    @property
    def level(self):
        return self.budget.level if self.budget else ""


class Drawn:
    """Money by month and purpose: billed, and reserved where the bill is still to come."""

    def __init__(self, rows):
        held = {}
        for each in summed(rows, "month", "purpose"):
            held.setdefault(each["month"], {})[each["purpose"]] = dollars(each["open"] + each["billed"])
        months = sorted(held)[-MONTHS_DRAWN:]
        self.purposes = [each.label for each in LedgerEntry.Purpose]
        self.rows = [
            (month, [held[month].get(each, Decimal(0)) for each in LedgerEntry.Purpose]) for month in months
        ]

    def table(self):
        """Newest first: (month, [(purpose, its sum)], their sum)."""
        return [
            (month, list(zip(self.purposes, sums, strict=True)), sum(sums))
            for month, sums in reversed(self.rows)
        ]

    @cached_property
    def svg(self):
        columns = [(f"{month:%Y-%m}", sums) for month, sums in self.rows]
        return StackedBars(_("US dollars by month and purpose"), self.purposes, columns, "$").svg()
