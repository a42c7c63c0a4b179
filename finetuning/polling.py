"""The sweep: claim due jobs, take each one short step, come back later. One bad row never stops the rest.

A round costs what has moved, not what there is: of the jobs that train, those that a provider's list shows unchanged
are put off by a handful of UPDATEs.
"""

import random
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from common.states import IllegalMove, unless_asked
from finetuning import rounds
from finetuning.following import follow
from finetuning.models import Job
from finetuning.sending import confirm, send
from finetuning.states import FOLLOWED, INTENDED, LIVE, SENDING
from providers import client
from providers.errors import ProviderError

log = structlog.get_logger()
SENT_AT_ONCE = 20
FOLLOWED_AT_ONCE = 10_000
SET_ASIDE_AFTER = 20


def sweep() -> int:
    """Advance every due job that no other worker holds; how many there were."""
    ends = time.monotonic() + settings.LEASE_SECONDS / 2
    now = timezone.now()
    claimed = rounds.claim([INTENDED, SENDING], SENT_AT_ONCE, now)
    for job in _whole(claimed):
        advance(job, now)
    now = timezone.now()
    followed = rounds.claim(FOLLOWED, FOLLOWED_AT_ONCE, now)
    news = rounds.news(followed)
    rounds.put_off(followed.keys() - news.keys(), followed, now)
    for job in _whole(news):
        if time.monotonic() > ends:  # the lease would run out: the next round takes what is left
            Job.objects.release(job.pk)
        else:
            advance(job, now, news[job.pk])
    return len(claimed) + len(followed)


def _whole(keys):
    """The jobs with what a step needs, in the order of their keys."""
    rows = Job.objects.filter(pk__in=list(keys)).select_related("model__provider", "version__dataset__course")
    return rows.order_by("pk") if keys else []


def advance(job, since, row=None):
    """One step of a job that was claimed then, and the time of its next; whatever goes wrong stays with this job.

    `row` is what the provider's list says of it, if it was read.
    """
    try:
        changes = step(job, row) or {}
        changes |= {"attempts": 0, "next_poll_at": timezone.now() + rounds.pause(job.created)}
        if row:
            changes |= {"remote_mark": rounds.mark(row), "events_read": timezone.now()}
    except ProviderError as error:
        changes = {"attempts": job.attempts + 1, "problem": error.text, "next_poll_at": _back_off(job, error)}
    except IllegalMove:
        changes = {"next_poll_at": _back_off(job)}
    except Exception as error:
        log.exception("a job's step crashed", job=job.pk)
        changes = _crashed(job, error)
    _release(job, changes, since)


def step(job, row):
    """What is still to be written of the job, if anything."""
    if job.state == INTENDED:
        send(job)
    elif job.state == SENDING:
        confirm(job)
    else:
        return follow(job, client.as_job(row) if row else client.job(job.provider, job.remote_id))


def _release(job, changes, since):
    """Give the job back. A time that the step, a person or a webhook has set meanwhile stays; so does the end."""
    if job.state not in FOLLOWED:
        job.refresh_from_db(fields=["state"])
    if job.state not in LIVE:
        changes.pop("next_poll_at", None)
    elif "next_poll_at" in changes:
        changes["next_poll_at"] = unless_asked(changes["next_poll_at"], since)
    Job.objects.release(job.pk, **changes)


def _back_off(job, error=None):
    asked = getattr(error, "retry_after", None) or 0
    seconds = max(asked, min(60, 2 ** min(job.attempts, 6)) * random.uniform(0.8, 1.2))
    return timezone.now() + timedelta(seconds=min(seconds, 3600))


def _crashed(job, error):
    attempts = job.attempts + 1
    text = _("An error on our side (%s). Staff have been told.") % type(error).__name__
    later = None if attempts >= SET_ASIDE_AFTER else _back_off(job)
    return {"attempts": attempts, "problem": text, "next_poll_at": later}
