"""What the provider says of a job, into our rows: its status, events, metrics, checkpoints and end."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from finetuning.curves import curves, table, values_of
from finetuning.models import Deployment, TunedModel
from providers.models import Budget


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating_files", "validating"),
        ("queued", "queued"),
        ("running", "running"),
        ("pausing", "running"),
        ("paused", "paused"),
    ],
)
def test_a_status_of_theirs_is_a_state_of_ours(job, there, sweep, status, state):
    sweep(job)
    there.jobs[job.remote_id]["status"] = status
    sweep(job)
    assert (job.state, job.raw_status) == (state, status)
    assert job.next_poll_at is not None


def test_a_status_that_nobody_knows_is_not_the_end(running, sweep):
    job, remote = running
    for status in ("quantum_tunnelling", "", "SUCCEEDED", "x" * 64):
        remote["status"] = status
        sweep(job)
        assert (job.state, job.raw_status, job.attempts) == ("running", status, 0)
    remote["status"] = "succeeded"
    remote["fine_tuned_model"] = "ft:tiny:1"
    sweep(job)
    assert job.state == "succeeded"


def test_a_provider_that_goes_a_step_back_is_believed_or_waited_for(running, sweep):
    job, remote = running
    for status in ("queued", "validating_files", "paused", "running"):
        remote["status"] = status
        sweep(job)
        assert job.state in ("queued", "validating", "paused", "running")
    assert job.state == "running"


@pytest.mark.parametrize("error", [{}, None, {"code": None, "message": None}])
def test_an_empty_error_of_a_healthy_job_is_none(running, sweep, error):
    job, remote = running
    remote["error"] = error
    sweep(job)
    assert (job.state, job.error_code, job.error_message, job.problem) == ("running", "", "", "")


def test_a_failed_job_keeps_code_and_message_as_they_were_told(running, sweep, budget):
    job, remote = running
    remote.update(
        status="failed",
        error={"code": "invalid_n_examples", "message": "Too few <b>.", "param": "training_file"},
    )
    sweep(job)
    assert (job.state, job.error_code, job.error_message) == ("failed", "invalid_n_examples", "Too few <b>.")
    assert (job.next_poll_at, Budget.objects.get().held) == (None, 0)
    assert not TunedModel.objects.exists()


@pytest.mark.parametrize("error", [{}, None, {"code": "x"}])
def test_a_failed_job_without_a_reason_says_so(running, sweep, error):
    job, remote = running
    remote.update(status="failed", error=error)
    sweep(job)
    assert job.state == "failed" and job.error_code
    assert job.error_message == "The provider gave no reason."


def test_a_good_end_makes_a_model_that_can_be_called_and_settles_the_money(running, sweep, budget):
    job, remote = running
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:course:1", trained_tokens=20_000)
    job.model.serve_until = "2027-01-14"
    job.model.save()
    sweep(job, times=2)
    assert (job.state, job.trained_tokens, job.next_poll_at) == ("succeeded", 20_000, None)
    assert job.ended is not None
    tuned = TunedModel.objects.get()
    assert (tuned.job, tuned.name, tuned.checkpoint) == (job, "ft:tiny:course:1", None)
    deployment = Deployment.objects.get()
    assert (tuned.deployment, deployment.name, deployment.provider) == (
        deployment,
        "ft:tiny:course:1",
        job.provider,
    )
    assert deployment.ends == date(2027, 1, 14)
    job.ledger.refresh_from_db()
    assert (job.ledger.settled, job.ledger.tokens) == (Decimal("0.06"), 20_000)
    assert Budget.objects.get().held == Decimal("0.06")


def test_a_model_that_has_no_name_yet_is_waited_for(running, sweep):
    job, remote = running
    remote["status"] = "succeeded"
    sweep(job, times=2)
    assert (job.state, job.raw_status) == ("running", "succeeded")
    assert "not named the model yet" in job.problem and job.next_poll_at is not None
    remote["fine_tuned_model"] = "ft:tiny:1"
    sweep(job)
    assert (job.state, job.problem, job.tuned.name) == ("succeeded", "", "ft:tiny:1")


def test_what_auto_became_and_when_it_will_end_is_kept(running, sweep):
    job, remote = running
    remote["hyperparameters"] = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}
    remote["estimated_finish"], remote["method"] = 1_800_000_000, None
    sweep(job)
    assert job.settled_hyperparameters == {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}
    assert job.finishes_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert job.hyperparameters["n_epochs"] == "auto"


def test_hyperparameters_of_the_method_come_before_the_old_ones(running, sweep):
    job, remote = running
    remote["method"] = {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": "auto"}},
    }
    sweep(job)
    assert job.settled_hyperparameters == {"n_epochs": 4}


@pytest.mark.parametrize(
    "missing", ["hyperparameters", "estimated_finish", "trained_tokens", "result_files", "error", "metadata"]
)
def test_what_a_provider_leaves_out_is_no_error(running, sweep, missing):
    job, remote = running
    del remote[missing]
    sweep(job)
    assert (job.attempts, job.problem) == (0, "")


def measured(there, job, step, **values):
    return there.add_event(
        job.remote_id, type="metrics", message=f"Step {step}", step=step, total_steps=10, **values
    )


def test_events_come_in_once_each_and_only_the_new_ones_are_kept_asking_for(running, there, sweep):
    job, _remote = running
    first = there.add_event(job.remote_id, message="Created")
    sweep(job, times=2)
    second = measured(there, job, 1, train_loss=2.5)
    sweep(job, times=2)
    assert [event.remote_id for event in job.events.all()] == [first["id"], second["id"]]
    assert job.last_event == second["id"]
    assert job.progress == 0.1


def test_more_events_than_a_page_all_come_in(running, there, sweep):
    job, _remote = running
    for step in range(1, 251):
        measured(there, job, step, train_loss=1 / step)
    sweep(job)
    assert job.events.count() == 250
    assert list(job.metrics.values_list("step", flat=True)) == list(range(1, 251))


def test_the_same_metrics_twice_stay_single_and_the_later_value_counts(running, there, sweep):
    job, _remote = running
    measured(there, job, 1, train_loss=2.5, valid_loss=3.0)
    sweep(job)
    measured(there, job, 1, train_loss=2.0)
    measured(there, job, 1, train_loss=1.5)
    type(job).objects.filter(pk=job.pk).update(last_event="")
    sweep(job)
    assert dict(job.metrics.values_list("name", "value")) == {"train_loss": 1.5, "valid_loss": 3.0}


def test_an_event_that_the_provider_no_longer_has_is_no_loss(running, there, sweep):
    job, _remote = running
    measured(there, job, 1, train_loss=2.5)
    sweep(job)
    there.events[job.remote_id].clear()
    measured(there, job, 2, train_loss=2.0)
    sweep(job)
    assert job.events.count() == job.metrics.count() == 2


@pytest.mark.parametrize(
    "data",
    [
        {"step": 1, "train_loss": None}, {"step": 1, "train_loss": "2.5"}, {"step": 1, "train_loss": [1]}, {"step": 1, "note": {}},
        {"step": None, "train_loss": 1.0}, {"step": "one", "train_loss": 1.0}, {"step": -1, "train_loss": 1.0},
        {"step": 1, "x" * 100: 1.0}, {"train_loss": 1.0}, {"step": 2**40, "train_loss": 1.0},
    ],
    ids=str,
)  # fmt: skip
def test_metrics_that_make_no_sense_are_passed_over_and_the_job_goes_on(running, there, sweep, data):
    job, _remote = running
    there.add_event(job.remote_id, type="metrics", message="Step", **data)
    measured(there, job, 3, train_loss=0.5)
    sweep(job)
    assert (job.attempts, job.problem) == (0, "")
    assert list(job.metrics.values_list("step", "name", "value")) == [(3, "train_loss", 0.5)]


def test_an_event_of_any_shape_is_kept(running, there, sweep):
    job, _remote = running
    event = there.add_event(job.remote_id, type="moderation_checks", message="a\x00b " + "x" * 5000)
    event.update(
        data=None, level="a level that nobody knows", type="a type of event that is long, long, long"
    )
    sweep(job)
    assert (job.attempts, job.problem) == (0, "")
    assert job.events.get().message.startswith("a")


def test_checkpoints_come_in_at_the_end_each_once(running, there, sweep):
    job, remote = running
    for step in (4, 8):
        there.add_checkpoint(job.remote_id, step, full_valid_loss=1 / step)
    there.checkpoints[job.remote_id][0]["metrics"] = None
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep(job)
    assert [(each.step, each.model_name) for each in job.checkpoints.all()] == [
        (4, "ft:tiny:ckpt-step-4"), (8, "ft:tiny:ckpt-step-8"),
    ]  # fmt: skip
    assert job.checkpoints.last().metrics["full_valid_loss"] == 0.125


def test_a_checkpoint_that_an_event_tells_of_is_there_while_the_job_runs(running, there, sweep):
    job, _remote = running
    there.add_checkpoint(job.remote_id, 4)
    there.add_event(job.remote_id, message="Checkpoint created at step 4")
    there.when("GET /fine_tuning/jobs/*/checkpoints", status=500, times=3)
    sweep(job)
    assert job.attempts == 1 and not job.checkpoints.exists()
    sweep(job)
    assert job.state == "running" and job.checkpoints.get().step == 4


def test_a_provider_without_events_or_checkpoints_is_not_asked_for_them(running, there, sweep):
    job, remote = running
    job.provider.capabilities = {"events": False, "checkpoints": False}
    job.provider.save()
    there.requests.clear()
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep(job)
    assert job.state == "succeeded"
    assert [each["call"] for each in there.requests] == ["GET /fine_tuning/jobs"]


def test_a_job_that_is_on_no_page_is_asked_for_by_itself(running, there, sweep):
    job, _remote = running
    there.when("GET /fine_tuning/jobs", text='{"object": "list", "data": [], "has_more": false}')
    sweep(job)
    assert (job.attempts, job.problem) == (0, "")
    assert there.asked(f"GET /fine_tuning/jobs/{job.remote_id}")


def test_a_job_that_vanished_there_is_told_and_not_ended(running, there, sweep):
    job, _remote = running
    del there.jobs[job.remote_id]
    sweep(job)
    assert (job.state, job.attempts, job.problem) == ("running", 1, "Not found.")


def test_curves_and_their_table_tell_the_same_numbers(running, there, sweep):
    job, remote = running
    measured(there, job, 1, train_loss=2.5, train_mean_token_accuracy=0.25)
    measured(there, job, 2, train_loss=1.5, full_valid_loss=1.75)
    there.add_checkpoint(job.remote_id, 2)
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep(job)
    loss, accuracy = curves(values_of(job), job.checkpoints.all())
    assert "training · step 1: 2.5" in loss.svg() and "full validation · step 2: 1.75" in loss.svg()
    assert "checkpoint, step 2" in loss.svg() and "training · step 1: 0.25" in accuracy.svg()
    names, rows = table(values_of(job))
    assert [(step, dict(zip(names, values, strict=True))["train_loss"]) for step, values in rows] == [
        (1, 2.5),
        (2, 1.5),
    ]


def test_a_job_without_metrics_draws_nothing(job):
    assert (curves(values_of(job)), table(values_of(job))[1], job.progress) == ([], [], None)
