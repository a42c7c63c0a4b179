"""DPO: of two replies the preferred one becomes the likelier."""

import os
import signal

import pytest

from engine.examples import check_preference
from tests.engine.talk import jsonl, preference

PAIRS = [preference(f"Pick {letter}", f"{letter} sun", f"{letter} rain") for letter in "abcdefghijkl"]


def options(**numbers):
    return {"seed": 3, "method": {"type": "dpo", "dpo": {"hyperparameters": numbers}}}


@pytest.fixture(scope="module")
def preferred(client):
    """A job that nobody disturbed."""
    job = client.start(
        jsonl(PAIRS), validation_file=client.upload(jsonl(PAIRS[:4])), **options(n_epochs=12, beta=0.2)
    )
    job = client.wait(job)
    assert job.status == "succeeded", client.messages(job)
    return job


def test_the_preferred_reply_becomes_likelier(client, preferred):
    before, *_, after = (step for step in client.metrics(preferred) if "full_valid_loss" in step)
    assert before["full_valid_loss"] == pytest.approx(0.6931, abs=1e-3)
    assert before["full_valid_reward_margin"] == pytest.approx(0, abs=1e-3)
    assert after["full_valid_loss"] < 0.5
    assert after["full_valid_reward_accuracy"] == 1.0
    assert after["full_valid_reward_margin"] > 0.3


def test_the_method_and_its_numbers_are_reported(client, preferred):
    assert preferred.method.type == "dpo"
    assert preferred.method.dpo.hyperparameters.to_dict() == {
        "n_epochs": 12,
        "batch_size": 4,
        "learning_rate_multiplier": 1.0,
        "beta": 0.2,
    }
    assert client.metrics(preferred)[1].keys() == {
        "step",
        "total_steps",
        "train_loss",
        "train_mean_token_accuracy",
        "train_reward_accuracy",
        "train_reward_margin",
    }
    assert client.ask(preferred.fine_tuned_model).choices


def test_a_killed_trainer_resumes_with_the_same_losses(engine, client, preferred):
    job = client.start(
        jsonl(PAIRS), validation_file=client.upload(jsonl(PAIRS[:4])), **options(n_epochs=12, beta=0.2)
    )
    client.wait_for_checkpoint(job)
    for trainer in engine.trainer_pids():
        os.kill(trainer, signal.SIGKILL)
    assert client.wait(job).status == "succeeded"
    assert client.metrics(job) == client.metrics(preferred)


def test_a_chat_is_no_preference(client, training):
    job = client.wait(client.start(training, **options()))
    assert job.error.code == "invalid_training_file"
    assert "Line 1: expected an object under the key 'input'" in job.error.message


USER, REPLY = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
BAD = [
    ({"input": None}, "under the key 'input'"),
    ({"input": {"messages": []}}, "input: expected a non-empty list"),
    ({"input": {"messages": [USER, REPLY]}}, "may not be from the assistant"),
    ({"input": {"messages": [USER], "tools": "x"}}, "'tools' must be a list"),
    ({"preferred_output": []}, "one message under the key 'preferred_output'"),
    ({"preferred_output": [REPLY, REPLY]}, "one message under the key 'preferred_output'"),
    ({"non_preferred_output": [USER]}, "non_preferred_output: the message must be from the assistant"),
    ({"non_preferred_output": [7]}, "non_preferred_output: expected an object"),
    ({"non_preferred_output": [REPLY]}, "are the same"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=range(len(BAD)))
def test_what_is_wrong_with_a_preference_is_said(change, reason):
    with pytest.raises(ValueError, match=reason):
        check_preference(preference("q", "a", "b") | change)
