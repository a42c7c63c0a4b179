"""What the provider says of a job, into our rows: status, events, metrics, checkpoints, the end."""

import math
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from django.utils.translation import gettext as _

from finetuning import results
from finetuning.models import Checkpoint, Event, Job, Metric, Wanted, succeed
from finetuning.states import CANCELLED, FAILED, PAUSED, STATUS, SUCCEEDED
from providers import client
from providers.errors import GivenUp

log = structlog.get_logger()
ENDS = (SUCCEEDED, FAILED, CANCELLED)
RUNS = ("validating_files", "queued", "running")
MOST_RESULT_FILES = 5
FRAME = {"step", "total_steps"}
LAST_STEP = 2**31 - 1


def adopt(job, remote):
    """The provider has it: from here on the job is followed by its id."""
    Job.objects.filter(pk=job.pk).update(remote_id=remote.id)
    job.remote_id = remote.id
    state = STATUS.get(remote.status)
    early = state if state and state not in ENDS else STATUS["queued"]
    job.advance_to(early, note=remote.id, raw_status=remote.status, problem="")


def follow(job, remote) -> dict:
    """Bring the rows up to the provider's state; safe to repeat. Returns what is still to be written of the job."""
    remote, changes = _ask(job, remote)
    if job.provider.can("events"):
        take_events(job)
    state = STATUS.get(remote.status)
    changes |= {"raw_status": remote.status, **_numbers(remote)}
    if state in ENDS or not job.provider.can("event_metrics"):
        take_checkpoints(job)
    if state in ENDS:
        return _end(job, remote, state, changes) or {}
    if state and state != job.state:
        job.advance_to(state, **changes)
        return {"problem": "", **changes}
    return {"problem": "", **changes}


def _ask(job, remote):
    """Pass on what a person wants of the job. (The provider's row, what is to be written of ours)."""
    if STATUS.get(remote.status) in ENDS:
        return remote, {"wanted": ""}
    if job.cancel_wanted:
        return _asked(job, client.cancel_job), {"wanted": ""}
    verb, state = job.wanted, STATUS.get(remote.status)
    if verb == Wanted.PAUSE and remote.status in RUNS:
        return _asked(job, client.pause_job), {}
    if verb == Wanted.RESUME and state == PAUSED:
        return _asked(job, client.resume_job), {}
    if verb and remote.status != "pausing":
        return remote, {"wanted": ""}
    return remote, {}


def _asked(job, call):
    """A job that has moved on in the meantime cannot be asked for it any more; what it has become is what counts."""
    try:
        return call(job.provider, job.remote_id)
    except GivenUp as refusal:
        Job.objects.filter(pk=job.pk).update(wanted="")
        log.info("the provider refused", job=job.pk, code=refusal.code, request=refusal.request_id)
        return client.job(job.provider, job.remote_id)


def _end(job, remote, state, changes):
    if state == SUCCEEDED:
        name = remote.fine_tuned_model or _name_of_checkpoint(job)
        if not name:
            return {**changes, "problem": _("Trained; the provider has not named the model yet.")}
        changes["result_files"] = take_results(job, remote)
        succeed(job, name, **changes)
    elif state == FAILED:
        code = (remote.error and remote.error.code) or "failed"
        message = (remote.error and remote.error.message) or _("The provider gave no reason.")
        job.advance_to(FAILED, error_code=code[:100], error_message=message, problem="", **changes)
    else:
        job.advance_to(CANCELLED, problem="", **changes)


def _name_of_checkpoint(job):
    """Where the job never names its model, the last checkpoint is what it made."""
    if job.provider.can("names_model") != "checkpoint":
        return ""
    last = job.checkpoints.order_by("step").last()
    return last.model_name if last else ""


def take_results(job, remote) -> list[str]:
    """The ids of the results files; their numbers where the events told none."""
    ids = [each for each in remote.result_files or [] if isinstance(each, str)][:MOST_RESULT_FILES]
    if not (ids and job.provider.can("results_file") and job.provider.can("files_content")):
        return ids
    if not job.metrics.filter(name="train_loss").exists():
        for each in ids:
            with suppress(GivenUp):  # a table that is not there leaves the training as it is
                take_metrics(job, results.read(client.file_content(job.provider, each)))
    return ids


def _numbers(remote):
    """What `auto` became, the billed tokens and the expected end, as far as they are told."""
    told = {}
    method = getattr(remote, "method", None)
    chosen = getattr(method, "supervised", None) or getattr(method, "dpo", None)
    hyper = getattr(chosen, "hyperparameters", None) or remote.hyperparameters
    if hyper:
        told["settled_hyperparameters"] = {
            name: value for name, value in hyper.model_dump().items() if isinstance(value, int | float)
        }
    if remote.trained_tokens is not None:
        told["trained_tokens"] = remote.trained_tokens
    if remote.estimated_finish:
        told["finishes_at"] = datetime.fromtimestamp(remote.estimated_finish, UTC)
    return told


def take_events(job):
    fresh = client.events_since(job.provider, job.remote_id, job.last_event)
    if not fresh:
        return
    Event.objects.bulk_create(
        [
            Event(
                job=job, remote_id=each.id, type=(each.type or "message")[:32], level=(each.level or "")[:16],
                message=(each.message or "").replace("\x00", ""), data=each.data if isinstance(each.data, dict) else {},
                at=datetime.fromtimestamp(each.created_at, UTC),
            )
            for each in fresh
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    take_metrics(job, [each.data for each in fresh if isinstance(each.data, dict) and "step" in each.data])
    if any("checkpoint" in (each.message or "").lower() for each in fresh):
        take_checkpoints(job)
    Job.objects.filter(pk=job.pk).update(last_event=fresh[-1].id)
    job.last_event = fresh[-1].id


def take_metrics(job, rows: list[dict]):
    """Numbers by step and name; what came before is overwritten, so that repeats do no harm."""
    values = {
        (row["step"], name): value
        for row in rows
        if isinstance(row["step"], int) and 0 <= row["step"] <= LAST_STEP
        for name, value in row.items()
        if name not in FRAME and len(name) <= 64 and isinstance(value, int | float) and math.isfinite(value)
    }
    Metric.objects.bulk_create(
        [Metric(job=job, step=step, name=name, value=value) for (step, name), value in values.items()],
        update_conflicts=True,
        unique_fields=["job", "step", "name"],
        update_fields=["value"],
    )


def take_checkpoints(job):
    if not job.provider.can("checkpoints"):
        return
    for each in client.checkpoints(job.provider, job.remote_id):
        metrics = each.metrics.model_dump(exclude_none=True) if each.metrics else {}
        if job.provider.can("checkpoint_metrics") and not job.provider.can("event_metrics"):
            take_metrics(job, [{**metrics, "step": each.step_number}])
        Checkpoint.objects.update_or_create(
            job=job,
            step=each.step_number,
            defaults={
                "remote_id": each.id, "model_name": each.fine_tuned_model_checkpoint, "metrics": metrics,
            },
        )  # fmt: skip
