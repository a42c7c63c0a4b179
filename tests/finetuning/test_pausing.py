"""Pause and resume: what a person wants is passed on by the sweep, and given up where the provider says no."""

import json

import pytest

from common.states import IllegalMove, Refused
from tests import doors, factories


@pytest.fixture
def provider(there):
    return factories.make_provider(kind="openai", base_url=there.base_url)


def asked(there, verb):
    return len(there.asked(f"POST /fine_tuning/jobs/*/{verb}"))


def test_a_training_is_paused_and_goes_on(running, there, editor, sweep):
    job, remote = running
    job.pause(by=editor)
    sweep(job, times=3)
    assert (job.state, remote["status"], job.wanted, asked(there, "pause")) == ("paused", "paused", "", 1)
    job.resume(by=editor)
    sweep(job, times=2)
    assert (remote["status"], job.wanted, asked(there, "resume")) == ("queued", "", 1)
    assert job.state == "queued"


def test_a_pause_that_takes_its_time_is_asked_for_once(running, there, sweep):
    job, remote = running
    job.pause()
    there.when("POST /fine_tuning/jobs/*/pause", text=json.dumps({"id": job.remote_id, "status": "pausing"}))
    remote["status"] = "running"
    sweep(job)
    remote["status"] = "pausing"
    sweep(job, times=3)
    assert (job.state, job.wanted, asked(there, "pause")) == ("running", "pause", 1)
    remote["status"] = "paused"
    sweep(job, times=2)
    assert (job.state, job.wanted) == ("paused", "")


def test_a_provider_that_says_no_is_not_asked_again(running, there, sweep):
    job, _remote = running
    there.when("POST /fine_tuning/jobs/*/pause", status=400, error={"code": "not_now", "message": "No."})
    job.pause()
    sweep(job, times=3)
    assert (job.state, job.wanted, asked(there, "pause")) == ("running", "", 1)


def test_an_unclear_answer_is_followed_by_a_look(running, there, sweep):
    job, remote = running
    there.when("POST /fine_tuning/jobs/*/pause", drop="after")
    job.pause()
    sweep(job)
    assert (job.attempts, job.wanted, remote["status"]) == (1, "pause", "paused")
    sweep(job, times=2)
    assert (job.state, job.wanted, job.problem) == ("paused", "", "")


def test_a_job_that_ends_meanwhile_wants_nothing_more(running, there, sweep):
    job, _remote = running
    job.pause()
    there.finish(job.remote_id)
    sweep(job)
    assert (job.state, job.wanted, asked(there, "pause")) == ("succeeded", "", 0)


def test_a_paused_job_can_be_cancelled(running, there, sweep):
    job, _remote = running
    job.pause()
    sweep(job, times=2)
    job.cancel()
    sweep(job)
    assert job.state == "cancelled"


def test_what_cannot_be_paused_or_resumed_says_why(running, job):
    running, _remote = running
    with pytest.raises(IllegalMove, match="“resume” is not possible"):
        running.resume()
    running.provider.kind = "crusoe"
    with pytest.raises(Refused, match="cannot pause"):
        running.pause()
    running.provider.kind = "openai"
    running.cancel()
    with pytest.raises(IllegalMove):
        running.pause()


def test_the_api_passes_it_on_to_those_who_train(running, editor, reviewer):
    job, _remote = running
    assert doors.api(reviewer).post(f"/api/jobs/{job.pk}/pause/").status_code == 403
    assert doors.api(editor).post(f"/api/jobs/{job.pk}/resume/").status_code == 409
    assert doors.api(editor).post(f"/api/jobs/{job.pk}/pause/").status_code == 200
    job.refresh_from_db()
    assert job.wanted == "pause"
