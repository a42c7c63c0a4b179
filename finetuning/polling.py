"""The sweep: claim due jobs, take each one short step, come back later. One bad row never stops the rest."""

import random
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from common.states import IllegalMove
from finetuning.following import follow
from finetuning.models import Job
from finetuning.sending import confirm, send
from finetuning.states import FOLLOWED, INTENDED, LIVE, SENDING
from providers import client
from providers.errors import ProviderError

log = structlog.get_logger()
MOST_AT_ONCE = 200
SET_ASIDE_AFTER = 20


def sweep() -> int:
    """Advance every due job that no other worker holds; how many there were."""
    now = timezone.now()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    due = Job.objects.due(now).live().values_list("pk", flat=True)[:MOST_AT_ONCE]
    claimed = [pk for pk in list(due) if Job.objects.claim(pk, now, until)]
    jobs = list(
        Job.objects.filter(pk__in=claimed).select_related("model__provider", "version__dataset__course")
    )
    remote = _remote_jobs([job for job in jobs if job.state in FOLLOWED])
    for job in jobs:
        advance(job, remote)
    return len(jobs)


def _remote_jobs(jobs):
    """{(provider, remote id): job}, read by the page; what the pages lack is asked for one by one later."""
    wanted = {}
    for job in jobs:
        wanted.setdefault(job.provider, set()).add(job.remote_id)
    found = {}
    for provider, ids in wanted.items():
        try:
            for remote_id, remote in client.jobs_among(provider, ids).items():
                found[provider.pk, remote_id] = remote
        except ProviderError as error:
            log.warning("jobs.list failed", provider=provider.name, problem=error.text)
    return found


def advance(job, remote):
    """One step of one claimed job, and the time of its next; whatever goes wrong stays with this job."""
    try:
        step(job, remote)
        changes = {"attempts": 0, "next_poll_at": _next_poll(job)}
    except ProviderError as error:
        changes = {"attempts": job.attempts + 1, "problem": error.text, "next_poll_at": _back_off(job)}
    except IllegalMove:
        changes = {"next_poll_at": _back_off(job)}
    except Exception as error:
        log.exception("a job's step crashed", job=job.pk)
        changes = _crashed(job, error)
    _release(job, changes)


def step(job, remote):
    if job.state == INTENDED:
        send(job)
    elif job.state == SENDING:
        confirm(job)
    else:
        told = remote.get((job.provider.pk, job.remote_id)) or client.job(job.provider, job.remote_id)
        follow(job, told)
        Job.objects.filter(pk=job.pk, state__in=FOLLOWED).exclude(raw_status="succeeded").update(problem="")


def _release(job, changes):
    """Give the job back. A later time that the step itself has set, or none after the end, stays."""
    job.refresh_from_db(fields=["state", "next_poll_at"])
    if job.state not in LIVE:
        changes.pop("next_poll_at", None)
    elif job.state == SENDING and job.next_poll_at and job.next_poll_at > timezone.now():
        changes["next_poll_at"] = job.next_poll_at
    Job.objects.release(job.pk, **changes)


def _next_poll(job):
    """Often at first, less often as the job grows old: 2 to 60 seconds, with a jitter."""
    age = (timezone.now() - job.created).total_seconds()
    pause = min(60, max(settings.SWEEP_SECONDS, age / 60)) * random.uniform(0.9, 1.1)
    return timezone.now() + timedelta(seconds=pause)


def _back_off(job):
    return timezone.now() + timedelta(seconds=min(60, 2 ** min(job.attempts, 6)) * random.uniform(0.8, 1.2))


def _crashed(job, error):
    attempts = job.attempts + 1
    text = _("An error on our side (%s). Staff have been told.") % type(error).__name__
    later = None if attempts >= SET_ASIDE_AFTER else _back_off(job)
    return {"attempts": attempts, "problem": text, "next_poll_at": later}
