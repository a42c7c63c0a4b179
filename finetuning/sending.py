"""The paid call, made once: claim the row, call without repeats, look for our mark before trying again."""

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.states import Split
from finetuning.following import adopt
from finetuning.states import CANCELLED, INTENDED, SENDING
from providers import client
from providers.errors import GivenUp, TryAgain, Unclear
from providers.models import Upload

MOST_SENDINGS = 2


def send(job):
    """From `intended`: files first, then the claim, then the one call that costs."""
    if job.cancel_wanted:  # asked for while it was in doubt whether the provider had taken the job
        job.advance_to(CANCELLED, problem="")
        return
    try:
        files = _upload(job)
    except GivenUp as refusal:
        job.fail(refusal.code, refusal.text)
        return
    job._move(SENDING, sent_at=timezone.now(), sendings=job.sendings + 1, problem="")
    try:
        adopt(job, client.create_job(job.provider, **body(job, files)))
    except TryAgain as busy:
        job._move(INTENDED, note=busy.text, sendings=job.sendings - 1, problem=busy.text)
        raise
    except GivenUp as refusal:
        refused(job, refusal)
    except Unclear as doubt:
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
    found = client.jobs_with(job.provider, str(job.op))
    for extra in found[1:]:
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


def body(job, files):
    """What the provider is asked for; our mark is in the metadata."""
    asked = {
        "model": job.model.name,
        "training_file": files[Split.TRAIN],
        "method": {"type": "supervised", "supervised": {"hyperparameters": job.hyperparameters}},
        "metadata": {"op": str(job.op)},
    }
    if Split.VALIDATION in files:
        asked["validation_file"] = files[Split.VALIDATION]
    if job.provider.can("seed"):
        asked["seed"] = job.seed
    if job.suffix:
        asked["suffix"] = job.suffix[: job.provider.can("suffix_length")]
    return asked


def _upload(job):
    """{split: remote file id} for the splits that hold examples, sent once per content."""
    files = {}
    for split in (Split.TRAIN, Split.VALIDATION):
        if job.version.statistics[split]["examples"]:
            sha256 = job.version.files[split]["sha256"]
            name = f"{split}-{sha256[:24]}.jsonl"
            files[split] = client.upload(job.provider, job.version.jsonl(split), sha256, name).remote_id
    return files


def refused(job, refusal):
    """A certain no. The files are sent anew next time; where tuning is closed to us none of ours stays there."""
    hashes = [job.version.files[split]["sha256"] for split in (Split.TRAIN, Split.VALIDATION)]
    uploads = Upload.objects.filter(provider=job.provider, sha256__in=hashes)
    text = refusal.text
    if refusal.code == "training_not_available":
        text = _("This provider does not let this account tune models. Choose another provider. (%s)") % text
        for upload in uploads:
            client.forget_upload(upload)
    uploads.delete()
    job.fail(refusal.code, text)
