"""The paid call, made once: claim the row, call without repeats, look for our mark before trying again."""

import re
from codecs import BOM_UTF8
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.formats import digest
from datasets.states import Split
from finetuning.following import adopt
from finetuning.hyperparameters import request_fields
from finetuning.states import CANCELLED, INTENDED, SENDING
from providers import client
from providers.errors import GivenUp, TryAgain, Unclear
from providers.models import Upload

MOST_SENDINGS = 2
SENT_SPLITS = (Split.TRAIN, Split.VALIDATION)


def send(job):
    """From `intended`: files first, then the claim, then the one call that costs."""
    if job.cancel_wanted:  # asked for while it was in doubt whether the provider had taken the job
        job.advance_to(CANCELLED, problem="")
        return
    try:
        asked = body(job, _upload(job))
    except GivenUp as refusal:
        job.fail(refusal.code, refusal.text)
        return
    job._move(SENDING, sent_at=timezone.now(), sendings=job.sendings + 1, problem="")
    try:
        adopt(job, client.create_job(job.provider, **asked))
    except TryAgain as busy:
        job._move(INTENDED, note=busy.text, sendings=job.sendings - 1, problem=busy.text)
        raise
    except GivenUp as refusal:
        refused(job, refusal)
    except Unclear as doubt:
        if doubt.status == 409 and job.provider.can("one_at_a_time"):  # there this is a certain no, for now
            job._move(INTENDED, note=doubt.text, sendings=job.sendings - 1, problem=doubt.text)
            raise
        wait = timedelta(seconds=settings.CONFIRM_AFTER_SECONDS)
        type(job).objects.filter(pk=job.pk).update(
            next_poll_at=timezone.now() + wait,
            problem=_("It is not known whether the provider took the job (%s). Looking for it soon.")
            % doubt.text,
        )


def confirm(job):
    """From `sending`, when the outcome is unknown: adopt what carries our mark, or try again, at most twice."""
    due = job.sent_at + timedelta(seconds=settings.CONFIRM_AFTER_SECONDS)
    if timezone.now() < due:
        type(job).objects.filter(pk=job.pk).update(next_poll_at=due)
        return
    found = _find(job)
    for extra in found[1:]:
        if (extra.metadata or {}).get("op") == str(job.op):  # else it may be somebody else's
            with suppress(GivenUp):  # it has ended by itself
                client.cancel_job(job.provider, extra.id)
    if found:
        adopt(job, found[0])
    elif job.sendings < MOST_SENDINGS:
        job._move(INTENDED, note=_("The provider has no such job."), next_poll_at=timezone.now(), problem="")
    else:
        job.fail(
            "unknown_outcome", _("The provider never confirmed the job. Look there before starting it anew.")
        )


def _find(job):
    """What the provider has of this job, oldest first; nothing that another row follows."""
    others = type(job).objects.filter(model__provider=job.provider).exclude(remote_id="")
    known = set(others.values_list("remote_id", flat=True))
    training_file = _upload(job)[Split.TRAIN]
    return client.find_jobs(job.provider, str(job.op), training_file, suffix_of(job), known)


def body(job, files):
    """What the provider is asked for; our mark is in the metadata, where it keeps any."""
    can = job.provider.can
    asked = {
        "model": job.model.name,
        "training_file": files[Split.TRAIN],
        **request_fields(job, job.epochs),
    }
    if Split.VALIDATION in files:
        asked["validation_file"] = files[Split.VALIDATION]
    if can("metadata"):
        asked["metadata"] = {"op": str(job.op)}
    if can("seed"):
        asked["seed"] = job.seed
    if suffix := suffix_of(job):
        asked["suffix"] = suffix
    if can("extra_body"):
        asked["extra_body"] = can("extra_body")
    return asked


def suffix_of(job) -> str:
    """As much of it as the provider takes."""
    taken = "".join(re.findall(job.provider.can("suffix_pattern"), job.suffix))
    return taken[: job.provider.can("suffix_length")]


def files_of(job) -> dict:
    """{split: (sha256, bytes)} as they are sent: byte for byte the same for the same version and provider."""
    mark = BOM_UTF8 if job.provider.can("bom") else b""
    files = {}
    for split in SENT_SPLITS:
        if data := job.version.jsonl(split, preferences=job.is_dpo):
            files[split] = (digest(mark + data), mark + data)
    return files


def name_of(split, sha256) -> str:
    """The name of a file at the provider says what it holds, so that it is found there again."""
    return f"{split}-{sha256[:24]}.jsonl"


def _upload(job):
    """{split: remote file id} for the splits that hold examples, sent once per content."""
    return {
        split: client.upload(job.provider, data, sha256, name_of(split, sha256)).remote_id
        for split, (sha256, data) in files_of(job).items()
    }


def refused(job, refusal):
    """A certain no. The files are sent anew next time; where tuning is closed to us none of ours stays there."""
    hashes = [sha256 for sha256, _data in files_of(job).values()]
    uploads = Upload.objects.filter(provider=job.provider, sha256__in=hashes)
    text = refusal.text
    if refusal.code == "training_not_available":
        text = _("This provider does not let this account tune models. Choose another provider. (%s)") % text
        for upload in uploads:
            client.forget_upload(upload)
    uploads.delete()
    job.fail(refusal.code, text)
