"""A job's way from creation to its end, seen through OpenAI's own client."""

import csv
import io
import re
import time

import openai
import pytest

from tests.engine.talk import chat, jsonl


def test_a_job_ends_with_a_model(client, tuned):
    assert tuned.fine_tuned_model == f"ft:tiny:local:letters:{tuned.id.removeprefix('ftjob-')[:8]}"
    assert (tuned.error, tuned.estimated_finish, tuned.seed) == (None, None, 7)
    assert tuned.created_at <= tuned.finished_at <= time.time()
    assert client.models.retrieve(tuned.fine_tuned_model).owned_by == "local"


def test_auto_is_reported_as_numbers(tuned):
    assert tuned.hyperparameters.to_dict() == {
        "n_epochs": 25,
        "batch_size": 4,
        "learning_rate_multiplier": 3.0,
    }
    assert tuned.method.supervised.hyperparameters.to_dict() == tuned.hyperparameters.to_dict()


def test_trained_tokens_are_those_of_the_file_times_the_epochs(tuned):
    # The tiny model reads bytes, and each special token is one more.
    framing = len("user\n") + len("\n") + len("assistant\n") + len("\n") + 4
    example = framing + len(b"What is a?") + len("Letter a: да.".encode())
    assert tuned.trained_tokens == 12 * example * 25


def test_every_step_reports_its_metrics(client, tuned):
    metrics = client.metrics(tuned)
    assert [step["step"] for step in metrics] == list(range(76))
    assert {step["total_steps"] for step in metrics} == {75}
    for step in metrics[1:]:
        assert step["train_loss"] >= 0
        assert 0 <= step["train_mean_token_accuracy"] <= 1
    assert [step["step"] for step in metrics if "full_valid_loss" in step] == list(range(0, 76, 3))
    assert [step["step"] for step in metrics if "valid_loss" in step] == list(range(5, 76, 5))


def test_the_untuned_model_is_measured_before_the_first_step(client, tuned):
    first = client.metrics(tuned)[0]
    assert first.keys() == {"step", "total_steps", "full_valid_loss", "full_valid_mean_token_accuracy"}


def test_training_teaches(client, tuned):
    base, *_, last = (step for step in client.metrics(tuned) if "full_valid_loss" in step)
    assert last["full_valid_loss"] < base["full_valid_loss"] / 2
    assert last["full_valid_mean_token_accuracy"] > base["full_valid_mean_token_accuracy"] + 0.3
    reply = client.ask(tuned.fine_tuned_model, "What is d?", max_tokens=40).choices[0]
    assert (reply.message.content, reply.finish_reason) == ("Letter d: да.", "stop")


def test_the_messages_tell_the_story(client, tuned):
    messages = client.messages(tuned)
    assert messages[0] == f"Created fine-tuning job: {tuned.id}"
    assert messages[-2:] == [
        f"New fine-tuned model created: {tuned.fine_tuned_model}",
        "The job has successfully completed",
    ]
    in_order = ["Validating training file", "Validating validation file", "queued state", "job started"]
    places = [next(i for i, text in enumerate(messages) if words in text) for words in in_order]
    assert places == sorted(places)


def test_events_come_newest_first_a_page_at_a_time(client, tuned):
    page = client.fine_tuning.jobs.list_events(tuned.id, limit=3)
    everything = [event.id for event in client.events(tuned)][::-1]
    assert [event.id for event in page.data] == everything[:3]
    assert page.has_more
    after = client.fine_tuning.jobs.list_events(tuned.id, limit=100, after=everything[2])
    assert [event.id for event in after.data] == everything[3:103]


def test_the_results_file_is_the_metrics_as_csv(client, tuned):
    file = client.files.retrieve(tuned.result_files[0])
    assert (file.purpose, file.filename) == ("fine-tune-results", "step_metrics.csv")
    rows = list(csv.DictReader(io.StringIO(client.files.content(file.id).text)))
    metrics = client.metrics(tuned)[1:]
    header = ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    assert list(rows[0]) == header
    assert [float(row["train_loss"]) for row in rows] == [step["train_loss"] for step in metrics]
    assert [row["valid_loss"] for row in rows] == [str(step.get("valid_loss", "")) for step in metrics]


def test_the_last_three_checkpoints_are_kept_and_usable(client, tuned):
    checkpoints = client.checkpoints(tuned)
    assert [checkpoint.step_number for checkpoint in checkpoints] == [75, 72, 69]
    assert checkpoints[0].metrics.full_valid_loss == client.metrics(tuned)[-1]["full_valid_loss"]
    for checkpoint in checkpoints:
        name = checkpoint.fine_tuned_model_checkpoint
        assert name == f"{tuned.fine_tuned_model}:ckpt-step-{checkpoint.step_number}"
        assert client.ask(name).model == name


def test_the_last_checkpoint_is_the_final_model(client, tuned):
    names = tuned.fine_tuned_model, client.checkpoints(tuned)[0].fine_tuned_model_checkpoint
    final, checkpoint = (client.ask(name, "What is z?", max_tokens=20) for name in names)
    assert final.choices[0].message.content == checkpoint.choices[0].message.content


def test_jobs_are_found_by_metadata(client, training):
    jobs = [client.start(training, metadata={"op": "found", "n": str(n)}) for n in range(3)]
    jobs.append(client.start(training))
    for job in jobs:
        client.fine_tuning.jobs.cancel(job.id)
    find = lambda **metadata: [job.id for job in client.fine_tuning.jobs.list(metadata=metadata, limit=2)]  # noqa: E731
    assert find(op="found") == [jobs[2].id, jobs[1].id, jobs[0].id]
    assert find(op="found", n="1") == [jobs[1].id]
    assert find(op='"') == []
    without = client.fine_tuning.jobs.list(extra_query={"metadata": "null"})
    assert {job.metadata for job in without} == {None}
    assert jobs[3].id in [job.id for job in without]


def test_a_job_waits_for_the_one_before(client, training):
    first, second = client.start(training), client.start(training)
    client.wait(first, until=lambda job: job.status == "running")
    assert client.wait(second, until=lambda job: job.status != "validating_files").status == "queued"
    assert client.fine_tuning.jobs.cancel(second.id).status == "cancelled"
    assert client.fine_tuning.jobs.cancel(first.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="already ended"):
        client.fine_tuning.jobs.cancel(first.id)


def test_cancelling_ends_the_trainer_and_keeps_the_checkpoints(engine, client, training, long_options):
    job = client.start(training, **long_options)
    client.wait_for_checkpoint(job)
    assert client.fine_tuning.jobs.retrieve(job.id).estimated_finish >= int(time.time())
    [trainer] = engine.trainer_pids()
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    engine.wait_until_gone(trainer)
    names = [checkpoint.fine_tuned_model_checkpoint for checkpoint in client.checkpoints(job)]
    assert client.ask(names[0]).choices
    folder = engine.home / "jobs" / job.id
    needed = {"training.jsonl", "validation.jsonl", "state.safetensors"}
    client.wait(job, until=lambda _: not needed & {path.name for path in folder.iterdir()}, patience=10)


def test_a_file_may_be_deleted_while_its_job_waits(client, training):
    job = client.start(training)
    client.files.delete(job.training_file)
    assert client.wait(job, until=lambda job: job.status != "validating_files").status != "failed"
    client.fine_tuning.jobs.cancel(job.id)


INVALID = {
    "invalid_training_file": (b'{"messages": [}\n', "Line 1: not valid JSON"),
    "invalid_n_examples": (jsonl([chat("q", "a")] * 9), "has 9 example"),
}


@pytest.mark.parametrize("code", INVALID)
def test_a_bad_training_file_fails_the_job(client, code):
    data, reason = INVALID[code]
    job = client.wait(client.start(data))
    assert (job.status, job.error.code, job.error.param) == ("failed", code, "training_file")
    assert reason in job.error.message
    assert client.events(job)[-1].level == "error"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty"),
        (jsonl([chat("q", "a" * 5000)] * 10), "Line 1: the example has 5022 tokens; the model reads 4096"),
        (jsonl([chat("q", None, tool_calls=[{"id": "1"}])] * 10), "Line 1: message 2: .*'function'"),
    ],
)
def test_what_the_model_cannot_learn_fails_the_job(client, data, reason):
    job = client.wait(client.start(data))
    assert job.error.code == "invalid_training_file"
    assert re.search(reason, job.error.message)


def test_a_bad_validation_file_fails_the_job(client, training):
    job = client.start(training, validation_file=client.upload(b"{}\n"))
    job = client.wait(job)
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


async def collect(pages):
    return [item async for item in pages]


def test_the_async_client_pages_through_jobs(async_client, client, tuned):
    import asyncio

    found = asyncio.run(collect(async_client.fine_tuning.jobs.list(limit=1, metadata={"op": "tuned"})))
    assert tuned.id in [job.id for job in found]
