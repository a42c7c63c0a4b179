"""Several jobs of a course beside each other: their curves in one chart, their settings and results in one table."""

from dataclasses import dataclass
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _

from common.charts import LineChart, Series
from common.templatetags.ui import decimals, hyperparameter, metric, money, thousands
from finetuning import hyperparameters as hyper
from finetuning.curves import ACCURACY, LOSS, Look, both
from finetuning.models import Job, Metric
from finetuning.timeline import duration

FEWEST, MOST = 2, 6
SPLITS = dict(zip(("train", "valid", "full"), zip(LOSS, ACCURACY, strict=True), strict=True))


@dataclass
class Row:
    """One line of the table: `values` as numbers and words, `shown` as people read them."""

    name: str
    label: str
    values: list
    shown: list

    @property
    def differs(self):
        return len(set(map(str, self.values))) > 1


def chosen(course, keys) -> list[Job]:
    """Two to six jobs of this course in the order asked for; 404 for one that is not of this course."""
    keys = list(dict.fromkeys(keys))
    if not FEWEST <= len(keys) <= MOST or not all(key.isdecimal() and len(key) < 19 for key in keys):
        raise ValidationError(_("Choose two to six jobs to compare."))
    rows = Job.objects.of(course).select_related("model__provider", "version__dataset__course", "ledger")
    found = rows.in_bulk(map(int, keys))
    if len(found) < len(keys):
        raise Http404
    return [found[int(key)] for key in keys]


def points_of(jobs) -> dict:
    """{job's key: {name: [(step, value), ...]}} by one query."""
    points = {job.pk: {} for job in jobs}
    rows = Metric.objects.filter(job__in=jobs, name__in=[*LOSS, *ACCURACY]).order_by("step")
    for pk, name, step, value in rows.values_list("job", "name", "step", "value"):
        points[pk].setdefault(name, []).append((step, value))
    return points


def charts(jobs, points, split="train", look=None) -> list[LineChart]:
    """Loss and token accuracy of one split, a line for each job."""
    look = look or Look()
    losses, accuracies = (_lines(jobs, points, name, look) for name in SPLITS[split])
    return both(losses, accuracies, look)


def _lines(jobs, points, name, look):
    values = {job: points[job.pk].get(name, []) for job in jobs}
    return [
        Series(str(job), values[job], f"r{number}", look.line(values[job]), f"#{job.pk}")
        for number, job in enumerate(jobs, start=1)
    ]


def table(jobs, points) -> list[Row]:
    """Settings, then results."""
    return [*_settings(jobs), *_results(jobs, points)]


def _settings(jobs):
    yield _row(jobs, "base_model", _("Base model"), attrgetter("model.name"))
    yield _row(jobs, "provider", _("Provider"), attrgetter("provider.name"))
    yield _row(jobs, "version", _("Version"), lambda job: str(job.version))
    yield _row(jobs, "method", _("Method"), attrgetter("method"), lambda job: job.get_method_display())
    for name in hyper.LIMITS:
        if any(name in job.hyperparameters for job in jobs):
            yield Row(name, hyperparameter(name), *_asked_and_settled(jobs, name))
    yield _row(jobs, "seed", _("Seed"), attrgetter("seed"))


def _asked_and_settled(jobs, name):
    asked = [job.hyperparameters.get(name) for job in jobs]
    settled = [job.settled_hyperparameters.get(name) for job in jobs]
    both = list(zip(asked, settled, strict=True))
    became = [told if value == hyper.AUTO and told is not None else value for value, told in both]
    shown = ["—" if value is None else value for value in became]
    shown = [
        f"{now} (auto)" if now != value == hyper.AUTO else now
        for now, value in zip(shown, asked, strict=True)
    ]
    return became, shown


def _results(jobs, points):
    yield _row(jobs, "state", _("Outcome"), attrgetter("state"), lambda job: job.get_state_display())
    for name in (*LOSS, *ACCURACY):
        if any(name in points[job.pk] for job in jobs):
            last = {job: points[job.pk][name][-1][1] if name in points[job.pk] else None for job in jobs}
            yield _row(jobs, name, metric(name), last.get, lambda job, last=last: decimals(last[job]))
    yield _row(
        jobs,
        "trained_tokens",
        _("Billed tokens"),
        attrgetter("trained_tokens"),
        lambda job: thousands(job.trained_tokens),
    )
    yield _row(
        jobs,
        "estimate",
        _("Estimated"),
        attrgetter("ledger.estimate"),
        lambda job: money(job.ledger.estimate),
    )
    yield _row(
        jobs, "billed", _("Billed"), attrgetter("ledger.settled"), lambda job: money(job.ledger.settled)
    )
    yield _row(jobs, "seconds", _("Took"), _seconds, duration)


def _seconds(job):
    return round((job.ended - job.created).total_seconds(), 1) if job.ended else None


def _row(jobs, name, label, value, shown=None):
    return Row(name, label, [value(job) for job in jobs], [(shown or value)(job) for job in jobs])
