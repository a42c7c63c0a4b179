"""The paid call is made once: whatever the answer, the provider never holds two jobs of one row."""

import json

import pytest

from finetuning import polling
from finetuning.models import Job
from finetuning.states import JobState
from providers.models import Budget, Upload
from tests import factories
from tests.common.crowd import at_once
from tests.providers.imitation import Imitation

JOBS = "POST /fine_tuning/jobs"


def states(job):
    return [move.state for move in job.moves.all()]


def held(job):
    return Budget.objects.get(course=job.course).held


def test_a_job_is_sent_once_with_its_files_and_our_mark(job, there, version, sweep):
    sweep(job, times=3)
    (request,) = there.asked(JOBS)
    told = json.loads(request["body"])
    assert told["model"] == "tiny"
    assert told["metadata"] == {"op": str(job.op)}
    assert told["method"] == {"type": "supervised", "supervised": {"hyperparameters": job.hyperparameters}}
    assert told["seed"] == job.seed
    assert there.files[told["training_file"]]["data"] == version.jsonl("train")
    assert there.files[told["validation_file"]]["data"] == version.jsonl("validation")
    assert len(there.files) == 2
    assert (job.state, job.raw_status, job.sendings) == ("validating", "validating_files", 1)
    assert job.remote_id in there.jobs
    assert states(job) == ["intended", "sending", "validating"]


def test_what_the_provider_cannot_is_not_asked_for(job, there, sweep):
    job.provider.capabilities = {"seed": False, "suffix_length": 4}
    job.provider.save()
    Job.objects.filter(pk=job.pk).update(suffix="lighthouse")
    sweep(job)
    told = json.loads(there.asked(JOBS)[0]["body"])
    assert "seed" not in told and told["suffix"] == "ligh"


def test_a_version_without_a_validation_set_sends_none(dataset, model, budget, there, sweep):
    job = factories.make_job(version=factories.make_version(dataset=dataset, validation=0), model=model)
    sweep(job)
    assert "validation_file" not in json.loads(there.asked(JOBS)[0]["body"])


def test_the_files_of_a_version_are_sent_once_for_all_its_jobs(job, version, model, there, sweep):
    other = factories.make_job(version=version, model=model, seed=7)
    sweep(job, other)
    assert len(there.jobs) == 2
    assert len(there.asked("POST /files")) == 2


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_send_a_job_once():
    with Imitation() as there:
        there.when(JOBS, wait=0.3)
        model = factories.make_model(provider=factories.make_provider(base_url=there.base_url), train="0")
        dataset = factories.make_dataset()
        job = factories.make_job(version=factories.make_version(dataset=dataset, examples=12), model=model)
        assert sorted(at_once(4, polling.sweep)) == [0, 0, 0, 1]
        job.refresh_from_db()
        assert (len(there.asked(JOBS)), job.state) == (1, "validating")


def test_where_tuning_is_closed_to_us_the_job_fails_and_no_file_of_ours_stays(job, there, sweep):
    there.when(JOBS, status=403, error={"code": "training_not_available", "message": "Closed."})
    sweep(job, times=3)
    assert (job.state, job.error_code) == ("failed", "training_not_available")
    assert "Choose another provider" in job.error_message and "Closed." in job.error_message
    assert there.files == {} and not Upload.objects.exists()
    assert len(there.asked(JOBS)) == 1
    assert held(job) == 0 and job.ledger.settled == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_certain_no_fails_the_job_with_the_providers_own_words(job, there, sweep, status):
    there.when(JOBS, status=status, error={"code": "exceeded_quota", "message": "No money."})
    sweep(job, times=3)
    assert (job.state, job.error_code, job.error_message) == ("failed", "exceeded_quota", "No money.")
    assert len(there.asked(JOBS)) == 1 and held(job) == 0


def test_a_code_that_is_a_number_is_kept_all_the_same(job, there, sweep):
    there.when(JOBS, status=400, error={"code": 40003})
    sweep(job)
    assert (job.state, job.error_code) == ("failed", "40003")


def test_a_busy_provider_is_asked_again_later(job, there, sweep):
    there.when(JOBS, times=2, status=429, error={"message": "Slow down."})
    sweep(job)
    assert (job.state, job.attempts, job.problem, job.sendings) == ("intended", 1, "Slow down.", 0)
    assert job.next_poll_at > job.created and job.lease_until is None
    sweep(job)
    assert (job.state, job.attempts) == ("intended", 2)
    sweep(job)
    assert (job.state, job.attempts, job.problem, job.sendings) == ("validating", 0, "", 1)
    assert len(there.jobs) == 1


@pytest.mark.parametrize("order", [{"drop": "after"}, {"drop": "after", "wait": 0.2}])
def test_a_job_that_was_taken_while_the_answer_was_lost_is_adopted(job, there, sweep, order):
    there.when(JOBS, **order)
    sweep(job)
    assert (job.state, job.remote_id) == ("sending", "")
    assert "not known whether the provider took the job" in job.problem
    sweep(job, times=2)
    assert (job.state, job.problem) == ("validating", "")
    assert list(there.jobs) == [job.remote_id]
    assert len(there.asked(JOBS)) == 1


def test_the_look_for_it_waits_for_the_time_that_a_provider_may_take(job, there, sweep, settings):
    there.when(JOBS, drop="after")
    sweep(job)
    settings.CONFIRM_AFTER_SECONDS = 120
    there.requests.clear()
    sweep(job, times=3)
    assert (job.state, there.requests) == ("sending", [])
    assert (job.next_poll_at - job.sent_at).total_seconds() == pytest.approx(120)


@pytest.mark.parametrize(
    "order", [{"drop": "before"}, {"status": 500}, {"status": 408}, {"status": 409}, {"text": "<html>"}]
)
def test_a_job_that_was_never_taken_is_sent_once_more_and_then_a_person_decides(job, there, sweep, order):
    there.when(JOBS, times=9, **order)
    sweep(job)
    assert job.state == "sending"
    sweep(job)
    assert (job.state, job.sendings) == ("intended", 1)
    sweep(job, times=2)
    assert (job.state, job.error_code, job.sendings) == ("failed", "unknown_outcome", 2)
    sweep(job, times=3)
    assert len(there.asked(JOBS)) == 2 and not there.jobs
    assert held(job) == 0


def test_the_second_sending_may_succeed(job, there, sweep):
    there.when(JOBS, drop="before")
    sweep(job, times=3)
    assert (job.state, job.sendings) == ("validating", 2)
    assert list(there.jobs) == [job.remote_id]


def test_of_two_with_our_mark_the_oldest_is_adopted_and_the_other_cancelled(job, there, sweep):
    there.when(JOBS, drop="before")
    sweep(job)
    first, second = [there.add_job(metadata={"op": str(job.op)})["id"] for _turn in range(2)]
    sweep(job)
    assert (job.state, job.remote_id) == ("validating", first)
    assert there.jobs[second]["status"] == "cancelled"


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_second_one_that_has_ended_already_does_not_stop_the_first(job, there, sweep, status):
    there.when(JOBS, drop="before")
    sweep(job)
    first, _second = [
        there.add_job(metadata={"op": str(job.op)}, status=word) for word in ("running", status)
    ]
    sweep(job, times=2)
    assert (job.state, job.remote_id) == ("running", first["id"])


def test_jobs_of_others_are_not_adopted(job, there, sweep):
    there.when(JOBS, drop="before")
    sweep(job)
    there.add_job(metadata={"op": "another's"})
    there.add_job()
    sweep(job)
    assert (job.state, job.remote_id) == ("intended", "")


def test_while_it_cannot_be_looked_for_nothing_is_sent_again(job, there, sweep):
    there.when(JOBS, drop="after")
    sweep(job)
    there.when("GET /fine_tuning/jobs", times=9, status=500)
    sweep(job, times=3)
    assert (job.state, job.attempts) == ("sending", 3)
    sweep(job)
    assert (job.state, len(there.jobs)) == ("validating", 1)


def test_after_a_crash_between_the_claim_and_the_answer_nothing_is_sent_blindly(job, there, sweep):
    there.when(JOBS, drop="after")
    sweep(job)
    Job.objects.filter(pk=job.pk).update(problem="", next_poll_at=job.created)
    sweep(job)
    assert (len(there.jobs), len(there.asked(JOBS)), job.state) == (1, 1, "validating")


def test_a_job_that_ended_before_it_was_adopted_still_ends_well(job, there, sweep):
    there.when(JOBS, drop="after")
    sweep(job)
    (remote,) = there.jobs.values()
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1", trained_tokens=1000)
    sweep(job, times=2)
    assert (job.state, job.tuned.name) == ("succeeded", "ft:tiny:1")


@pytest.mark.parametrize("order", [{"status": 500}, {"drop": "before"}, {"status": 429}])
def test_files_that_cannot_be_sent_now_are_sent_later(job, there, sweep, order):
    there.when("POST /files", times=2, **order)
    sweep(job, times=2)
    assert (job.state, job.attempts) == ("intended", 2)
    assert job.problem
    sweep(job)
    assert (job.state, job.problem, len(there.files)) == ("validating", "", 2)


def test_a_file_whose_answer_was_lost_is_not_sent_again(job, there, sweep):
    there.when("POST /files", drop="after")
    sweep(job, times=2)
    assert (job.state, len(there.files)) == ("validating", 2)


def test_a_file_that_is_refused_fails_the_job(job, there, sweep):
    there.when("POST /files", status=400, error={"code": "invalid_file_format", "message": "Row 3."})
    sweep(job)
    assert (job.state, job.error_code, job.error_message) == ("failed", "invalid_file_format", "Row 3.")
    assert not there.asked(JOBS) and held(job) == 0


def test_a_provider_that_is_down_is_told_and_the_job_goes_on_when_it_is_back(job, there, sweep):
    type(job.provider).objects.update(base_url="http://127.0.0.1:9/v1")
    sweep(job, times=2)
    assert (job.state, job.problem) == ("intended", "The provider cannot be reached.")
    type(job.provider).objects.update(base_url=there.base_url)
    sweep(job)
    assert (job.state, job.problem) == ("validating", "")


def test_a_key_that_the_provider_echoes_is_in_no_row(job, there, sweep):
    there.when(
        JOBS, status=401, error={"message": "Incorrect API key provided: sk-proj-abcdefghijklmnopqrstuv."}
    )
    sweep(job)
    assert job.state == JobState.FAILED
    assert "abcdefghij" not in f"{job.error_message}{job.problem}{job.error_code}"
