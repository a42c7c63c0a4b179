"""Training ends when the validation loss has not fallen for some epochs, and the best epoch is the model."""

import os
import signal

import pytest
from safetensors.numpy import load_file

from engine.stopping import EarlyStopping
from tests.engine.talk import chat, jsonl

STEPS = 3  # an epoch


@pytest.fixture(scope="module")
def start(client, training):
    """Start a job whose validation soon contradicts what it learns."""
    other = client.upload(jsonl(chat(f"What is {letter}?", "No: нет.") for letter in "mnopq"))
    numbers = {"n_epochs": 25, "learning_rate_multiplier": 3, "early_stopping_patience": 3}
    return lambda: client.start(training, validation_file=other, seed=7, hyperparameters=numbers)


@pytest.fixture(scope="module")
def stopped(client, start):
    """A job that nobody disturbed."""
    job = client.wait(start())
    assert job.status == "succeeded", client.messages(job)
    return job


def test_the_best_epoch_is_the_model(engine, client, stopped):
    losses = [step["full_valid_loss"] for step in client.metrics(stopped) if "full_valid_loss" in step][1:]
    best, last = losses.index(min(losses)) + 1, len(losses)
    assert last == best + 3 < 25
    lowest = f"the full validation loss was lowest after epoch {best}, with {min(losses):.4f}"
    message = f"Stopped early after epoch {last} of 25: {lowest}, and that is the final model"
    assert message in client.messages(stopped)
    kept = [checkpoint.step_number // STEPS for checkpoint in client.checkpoints(stopped)]
    assert kept == [last, last - 1, last - 2, best]
    folder = engine.home / "jobs" / stopped.id
    final, checkpoint = (
        load_file(folder / place / "adapter_model.safetensors")
        for place in ("final", f"checkpoints/step-{best * STEPS}")
    )
    assert all((final[name] == checkpoint[name]).all() for name in final)
    client.models.delete(client.checkpoints(stopped)[-1].fine_tuned_model_checkpoint)
    assert client.ask(stopped.fine_tuned_model).choices


def test_only_what_was_trained_is_counted(client, stopped, short):
    last = client.metrics(stopped)[-1]["step"] // STEPS
    assert stopped.trained_tokens == short.trained_tokens * last


def test_the_patience_is_reported_where_it_was_asked_for(stopped, short):
    for found in (stopped.hyperparameters, stopped.method.supervised.hyperparameters):
        assert found.to_dict()["early_stopping_patience"] == 3
    assert "early_stopping_patience" not in short.hyperparameters.to_dict()


def test_killed_paused_and_with_a_torn_state_a_job_stops_at_the_same_epoch(engine, client, start, stopped):
    job = start()
    client.wait_for_checkpoint(job)
    for trainer in engine.trainer_pids():
        os.kill(trainer, signal.SIGKILL)
        engine.wait_until_gone(trainer)
    client.wait(job, until=lambda job: len(client.losses(job)) > STEPS)
    client.fine_tuning.jobs.pause(job.id)
    for trainer in engine.trainer_pids():
        engine.wait_until_gone(trainer)
    state = engine.home / "jobs" / job.id / "state.safetensors"
    os.truncate(state, state.stat().st_size - 100)
    client.fine_tuning.jobs.resume(job.id)
    job = client.wait(job)
    assert client.metrics(job) == client.metrics(stopped)
    assert job.trained_tokens == stopped.trained_tokens
    torn = "The saved state cannot be read: training starts again at the first step"
    assert torn in client.messages(job)
    assert client.messages(job)[-3].startswith("Stopped early")
    assert client.messages(job)[-3] == client.messages(stopped)[-3]


@pytest.mark.parametrize(
    ("losses", "best", "over"),
    [
        ([], None, False),
        ([3, 2], 2, False),
        ([2, 2, 3], 1, True),
        ([2, 3, 1], 3, False),
        ([1, 2, 3], 1, True),
    ],
)
def test_an_equal_loss_is_no_lower_one(losses, best, over):
    stopping = EarlyStopping(patience=2, n_epochs=9)
    for epoch, loss in enumerate(losses, start=1):
        assert stopping.add(loss) == (loss < min(losses[: epoch - 1], default=99))
    assert stopping.over == over
    assert not losses or stopping.best == best


def test_a_best_last_epoch_is_told_too():
    stopping = EarlyStopping(patience=2, n_epochs=2)
    stopping.losses = [2, 1]
    assert stopping.remark().startswith(
        "Trained all 2 epochs: the full validation loss was lowest after epoch 2"
    )
