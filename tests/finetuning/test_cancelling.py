"""A job can be cancelled in any state that is not its end, and whatever was not sent costs nothing."""

import pytest

from accounts.models import AuditEntry
from common.states import IllegalMove
from finetuning.models import Job
from providers.models import Budget

JOBS = "POST /fine_tuning/jobs"


def held(job):
    return Budget.objects.get(course=job.course).held


def test_before_it_is_sent_a_job_is_cancelled_at_once(job, there, sweep, editor):
    job.cancel(by=editor)
    sweep(job)
    assert (job.state, there.requests, held(job)) == ("cancelled", [], 0)
    assert AuditEntry.objects.get(action="job.cancel").actor == editor


@pytest.mark.parametrize("status", ["validating_files", "queued", "running", "paused"])
def test_what_the_provider_has_is_cancelled_there(job, there, sweep, status):
    sweep(job)
    there.jobs[job.remote_id]["status"] = status
    sweep(job)
    job.cancel()
    assert job.cancel_wanted and job.state != "cancelled"
    sweep(job)
    assert (job.state, there.jobs[job.remote_id]["status"]) == ("cancelled", "cancelled")
    assert len(there.asked(f"POST /fine_tuning/jobs/{job.remote_id}/cancel")) == 1
    assert held(job) == 0 and job.next_poll_at is None


def test_what_was_trained_until_then_is_billed(running, sweep):
    job, remote = running
    job.cancel()
    remote["trained_tokens"] = 1_000_000
    sweep(job)
    assert (job.state, job.trained_tokens) == ("cancelled", 1_000_000)
    job.ledger.refresh_from_db()
    assert job.ledger.settled == held(job) == 3


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_job_that_has_ended_there_meanwhile_ends_as_it_did(running, sweep, status):
    job, remote = running
    remote.update(status=status, fine_tuned_model="ft:tiny:1", error={"code": "x", "message": "y"})
    job.cancel()
    sweep(job)
    assert job.state == status


def test_a_job_that_ends_there_in_the_moment_of_cancelling_ends_as_it_did(running, there, sweep):
    job, remote = running
    job.cancel()
    there.when(
        f"POST /fine_tuning/jobs/{job.remote_id}/cancel", status=400, error={"code": "job_not_cancellable"}
    )
    remote.update(status="running")
    sweep(job)
    assert job.state == "running"
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep(job)
    assert job.state == "succeeded"


def test_in_doubt_it_is_looked_for_and_cancelled_where_it_is_found(job, there, sweep):
    there.when(JOBS, drop="after")
    sweep(job)
    job.cancel()
    sweep(job, times=2)
    assert job.state == "cancelled"
    assert [remote["status"] for remote in there.jobs.values()] == ["cancelled"]


def test_in_doubt_what_is_not_found_there_is_never_sent_again(job, there, sweep):
    there.when(JOBS, drop="before")
    sweep(job)
    job.cancel()
    sweep(job, times=3)
    assert (job.state, there.jobs, len(there.asked(JOBS))) == ("cancelled", {}, 1)
    assert held(job) == 0 and job.ended is not None


def test_a_job_that_a_busy_provider_sent_back_is_never_sent_again(job, there, sweep):
    there.when(JOBS, status=429)
    sweep(job)
    Job.objects.filter(pk=job.pk).update(cancel_wanted=True)
    sweep(job, times=2)
    assert (job.state, there.jobs) == ("cancelled", {})


def test_a_provider_that_is_down_is_asked_until_it_has_cancelled(running, there, sweep):
    job, remote = running
    job.cancel()
    there.when(f"POST /fine_tuning/jobs/{job.remote_id}/cancel", times=2, status=500)
    sweep(job, times=2)
    assert (job.state, job.attempts) == ("running", 2)
    sweep(job)
    assert (job.state, remote["status"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(running, sweep, status):
    job, remote = running
    remote.update(status=status, fine_tuned_model="ft:tiny:1")
    sweep(job)
    count = AuditEntry.objects.count()
    with pytest.raises(IllegalMove, match=job.get_state_display()):
        job.cancel()
    job.refresh_from_db()
    assert (job.state, job.cancel_wanted, AuditEntry.objects.count()) == (status, False, count)


def test_cancelling_twice_is_cancelling_once(running, there, sweep):
    job, _remote = running
    job.cancel()
    job.cancel()
    sweep(job)
    with pytest.raises(IllegalMove):
        job.cancel()
    assert len(there.asked(f"POST /fine_tuning/jobs/{job.remote_id}/cancel")) == 1
