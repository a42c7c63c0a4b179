"""What nobody waits for: jobs that hang at the provider, files left there, jobs there without a row."""

from datetime import timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.utils import timezone

from courses.notices import Kind, Notice
from finetuning.models import Job
from finetuning.sending import files_of
from finetuning.states import LIVE, VALIDATING
from providers import client
from providers.errors import ProviderError
from providers.models import Provider, Upload

log = structlog.get_logger()
STUCK_AFTER = timedelta(hours=2)
PAGES = 100


def tell_of_stuck():
    """Who asked is told once of a job whose files the provider has been checking for two hours."""
    slow = Job.objects.filter(state=VALIDATING, sent_at__lt=timezone.now() - STUCK_AFTER)
    for job in slow.exclude(by=None).select_related("by", "model__provider", "version__dataset__course"):
        Notice.objects.tell(job.course, Kind.JOB_STUCK, job.pk, [job.by], job=job.pk, base=str(job.model))


def forget_files():
    """Delete files at providers after REMOTE_FILES_DAYS, except those that a live job needs."""
    if not settings.REMOTE_FILES_DAYS:
        return
    old = timezone.now() - timedelta(days=settings.REMOTE_FILES_DAYS)
    needed = {}
    for job in Job.objects.live().select_related("model__provider", "version"):
        hashes = needed.setdefault(job.provider.pk, set())
        hashes.update(sha256 for sha256, _data in files_of(job).values())
    for upload in Upload.objects.filter(sent__lt=old).select_related("provider"):
        if upload.sha256 in needed.get(upload.provider_id, ()):
            continue
        try:
            client.forget_upload(upload)
        except ProviderError as error:
            log.warning("a file could not be deleted", provider=upload.provider.name, problem=error.text)


def orphans(provider) -> list[dict]:
    """The provider's rows of live jobs that carry a mark of this kind and that no row here follows.

    They may be another installation's, with the same account: a person decides.
    """
    known = set(Job.objects.filter(model__provider=provider).values_list("remote_id", flat=True))
    marks = {
        str(op)
        for op in Job.objects.filter(model__provider=provider, state__in=LIVE).values_list("op", flat=True)
    }
    return [
        row for row in _live_there(provider) if row["id"] not in known and row["metadata"]["op"] not in marks
    ]


def _live_there(provider):
    for page in islice(client.job_pages(provider), PAGES):
        for row in page:
            marked = isinstance(row.get("metadata"), dict) and isinstance(row["metadata"].get("op"), str)
            if marked and row.get("status") not in ("succeeded", "failed", "cancelled"):
                yield row


def lost(provider) -> list[Job]:
    """Jobs that are followed here and that the provider does not know."""
    there = {row["id"] for page in islice(client.job_pages(provider), PAGES) for row in page}
    rows = Job.objects.live().filter(model__provider=provider).exclude(remote_id__in=[*there, ""])
    return list(rows.select_related("model__provider"))


def tidy():
    tell_of_stuck()
    forget_files()


def training_providers():
    return Provider.objects.filter(is_active=True, models__jobs__isnull=False).distinct()
