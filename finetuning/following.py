"""What the provider says of a job, into our rows: status, events, metrics, checkpoints, the end."""

import math
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from finetuning.models import Checkpoint, Event, Job, Metric, succeed
from finetuning.states import CANCELLED, FAILED, STATUS, SUCCEEDED
from providers import client
from providers.errors import GivenUp

FRAME = {"step", "total_steps"}
LAST_STEP = 2**31 - 1


def adopt(job, remote):
    """The provider has it: from here on the job is followed by its id."""
    Job.objects.filter(pk=job.pk).update(remote_id=remote.id)
    job.remote_id = remote.id
    state = STATUS.get(remote.status)
    early = state if state and state not in (SUCCEEDED, FAILED, CANCELLED) else STATUS["queued"]
    job.advance_to(early, note=remote.id, raw_status=remote.status, problem="")


def follow(job, remote) -> dict:
    """Bring the rows up to the provider's state; safe to repeat. Returns what is still to be written of the job."""
    if job.cancel_wanted and STATUS.get(remote.status) not in (SUCCEEDED, FAILED, CANCELLED):
        remote = _cancel(job, remote)
    if job.provider.can("events"):
        take_events(job)
    state = STATUS.get(remote.status)
    changes = {"raw_status": remote.status, **_numbers(remote)}
    if state in (SUCCEEDED, FAILED, CANCELLED):
        take_checkpoints(job)
        return _end(job, remote, state, changes) or {}
    if state and state != job.state:
        job.advance_to(state, **changes)
        return {"problem": ""}
    return {"problem": "", **changes}


def _cancel(job, remote):
    """A job that ended in the meantime cannot be cancelled any more; its end is then what counts."""
    try:
        return client.cancel_job(job.provider, job.remote_id)
    except GivenUp:
        return client.job(job.provider, job.remote_id)


def _end(job, remote, state, changes):
    if state == SUCCEEDED and not remote.fine_tuned_model:
        return {
            "raw_status": remote.status,
            "problem": _("Trained; the provider has not named the model yet."),
        }
    if state == SUCCEEDED:
        succeed(job, remote.fine_tuned_model, **changes)
    elif state == FAILED:
        code = (remote.error and remote.error.code) or "failed"
        message = (remote.error and remote.error.message) or _("The provider gave no reason.")
        job.advance_to(FAILED, error_code=code[:100], error_message=message, problem="", **changes)
    else:
        job.advance_to(CANCELLED, problem="", **changes)


def _numbers(remote):
    """What `auto` became, the billed tokens and the expected end, as far as they are told."""
    told = {}
    supervised = getattr(getattr(remote, "method", None), "supervised", None)
    hyper = getattr(supervised, "hyperparameters", None) or remote.hyperparameters
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
        Checkpoint.objects.update_or_create(
            job=job,
            step=each.step_number,
            defaults={
                "remote_id": each.id, "model_name": each.fine_tuned_model_checkpoint, "metrics": metrics,
            },
        )  # fmt: skip
