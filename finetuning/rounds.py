"""What one round over many jobs costs: one claim, the provider's lists, and steps for those that have moved."""

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from common.states import unless_asked
from finetuning.models import Job
from providers import client
from providers.errors import ProviderError, TryAgain
from providers.models import Provider

log = structlog.get_logger()
CURVES_AT_ONCE = 8  # jobs a provider and round whose events are read though their row stands still
STRAYS_AT_ONCE = 20  # jobs that the lists lack, asked for one by one
BUCKETS = 4
TELLING = (
    "status",
    "fine_tuned_model",
    "trained_tokens",
    "finished_at",
    "error",
    "result_files",
    "hyperparameters",
)


@dataclass(slots=True)
class Light:
    """What a round needs to know of a job to see whether it has moved."""

    provider: int
    remote_id: str
    mark: str
    created: datetime
    cancel_wanted: bool
    wanted: str
    events_read: datetime | None


def claim(states, most, now) -> dict[int, Light]:
    """{key: job} of the jobs in these states that are due now; they are this caller's until the lease ends.

    The end of the lease says whose they are: its microseconds are drawn by lot.
    """
    lot = timedelta(seconds=settings.LEASE_SECONDS, microseconds=random.randrange(1_000_000))
    due = Job.objects.due(now).filter(state__in=states)
    keys = list(due.values_list("pk", flat=True)[:most])
    if not keys or not due.order_by().filter(pk__in=keys).update(lease_until=now + lot):
        return {}
    mine = Job.objects.filter(pk__in=keys, lease_until=now + lot).values_list(
        "pk",
        "model__provider",
        "remote_id",
        "remote_mark",
        "created",
        "cancel_wanted",
        "wanted",
        "events_read",
    )
    return {pk: Light(*rest) for pk, *rest in mine}


def news(jobs: dict[int, Light]) -> dict[int, dict | None]:
    """{key: the provider's row} of those that need a step now; None where it has to be asked for by itself."""
    by_provider = defaultdict(dict)
    for pk, job in jobs.items():
        by_provider[job.provider][job.remote_id] = pk
    found = {}
    for provider in Provider.objects.filter(pk__in=by_provider):
        wanted = by_provider[provider.pk]
        if provider.is_resting:
            _wait(wanted, _("The provider rests after failures."))
            continue
        try:
            found |= _news_of(provider, wanted, jobs)
        except ProviderError as error:
            log.warning("jobs.list failed", provider=provider.name, problem=error.text)
            _wait(wanted, error.text)
            if isinstance(error, TryAgain):
                provider.note_failure()
            else:  # the list is at fault, not the line: the jobs may be asked for by themselves
                found |= dict.fromkeys(list(wanted.values())[:STRAYS_AT_ONCE])
        else:
            provider.note_success()
            here = Job.objects.filter(pk__in=wanted.values()).exclude(raw_status="succeeded")
            here.exclude(problem="").update(problem="")
    return found


def _wait(wanted, problem):
    Job.objects.filter(pk__in=wanted.values()).update(problem=problem)


def _news_of(provider, wanted, jobs):
    still, moved, left = [], {}, dict(wanted)
    for page in client.job_pages(provider):
        for row in page:
            pk = left.pop(row.get("id"), None)
            if pk is None:
                continue
            if jobs[pk].cancel_wanted or jobs[pk].wanted or mark(row) != jobs[pk].mark:
                moved[pk] = row
            else:
                still.append((jobs[pk].events_read or jobs[pk].created, pk, row))
        if not left:
            break
    still.sort(key=lambda each: each[:2])
    moved |= {pk: row for _read, pk, row in still[:CURVES_AT_ONCE]}
    return moved | dict.fromkeys(list(left.values())[:STRAYS_AT_ONCE])


def mark(row: dict) -> str:
    """A hash of what makes a difference to us in the provider's row."""
    told = repr([row.get(name) for name in TELLING])
    return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()


def put_off(keys, jobs, since):
    """Give back what was claimed then and has not moved: a few UPDATEs, each with a time of its own.

    The younger a job is, the sooner it is due again.
    """
    ordered = sorted(keys, key=lambda pk: jobs[pk].created)
    size = -(-len(ordered) // BUCKETS) or 1
    for start in range(0, len(ordered), size):
        some = ordered[start : start + size]
        later = unless_asked(timezone.now() + pause(jobs[some[-1]].created), since)
        Job.objects.filter(pk__in=some).update(lease_until=None, next_poll_at=later, attempts=0)


def pause(created) -> timedelta:
    """Often at first, less often as the job grows old: 2 to 60 seconds, with a jitter."""
    age = (timezone.now() - created).total_seconds()
    return timedelta(seconds=min(60, max(settings.SWEEP_SECONDS, age / 60)) * random.uniform(0.9, 1.1))
