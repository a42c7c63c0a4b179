"""Killed in the middle, training goes on as if nothing had happened, or fails clearly."""

import os
import signal
import sqlite3

from tests.engine.talk import Client
from tests.engine_process import EngineProcess


def test_a_killed_trainer_resumes_with_the_same_losses(
    engine, client, training, validation, long_options, tuned
):
    job = client.start(training, validation_file=client.upload(validation), **long_options)
    client.wait_for_checkpoint(job)
    [trainer] = engine.trainer_pids()
    os.kill(trainer, signal.SIGKILL)
    assert client.wait(job).status == "succeeded"
    assert any("resumes after step" in message for message in client.messages(job))
    assert client.metrics(job) == client.metrics(tuned)


def forget_last_checkpoint(engine):
    """What a power cut leaves between the trainer's checkpoint and the server's row of it."""
    with sqlite3.connect(engine.home / "engine.sqlite3") as database:
        [row] = database.execute("SELECT model, step FROM checkpoints ORDER BY step DESC LIMIT 1")
        database.execute("DELETE FROM models WHERE id = ?", row[:1])
        database.execute("DELETE FROM checkpoints WHERE model = ?", row[:1])
        assert database.execute("DELETE FROM events WHERE key = ?", [f"checkpoint-{row[1]}"]).rowcount == 1


def test_a_server_killed_and_then_stopped_resumes_with_the_same_losses(
    tmp_path, training, validation, long_options, client, tuned
):
    with EngineProcess(tmp_path) as engine:
        second = Client.of(engine)
        job = second.start(training, validation_file=second.upload(validation), **long_options)
        waiting, ended = second.start(training), second.start(training)
        second.fine_tuning.jobs.cancel(ended.id)
        second.wait_for_checkpoint(job)
        [trainer] = engine.trainer_pids()
        engine.kill()
        engine.wait_until_gone(trainer)
        forget_last_checkpoint(engine)
        # Killed between the end of a job and its tidying.
        left = [engine.home / "jobs" / each.id / "training.jsonl" for each in (ended, waiting)]
        left[0].write_text("left")

        engine.start()
        assert [each.exists() for each in left] == [False, True]
        before = len(second.losses(job))
        second.wait(job, until=lambda _: len(second.losses(job)) > before)
        assert engine.stop() == 0
        assert engine.trainer_pids() == []

        engine.start()
        assert second.wait(job).status == "succeeded"
        assert second.metrics(job) == client.metrics(tuned)
        made = [words for words in second.messages(job) if words.startswith("Checkpoint")]
        assert len(made) == len(set(made))
        assert set(made) >= {words for words in client.messages(tuned) if words.startswith("Checkpoint")}
        assert second.fine_tuning.jobs.retrieve(waiting.id).status in ("queued", "running")


def test_a_trainer_that_never_gets_on_fails_its_job(engine, client, training, long_options):
    job = client.start(training, **long_options)
    killed = set()
    while client.fine_tuning.jobs.retrieve(job.id).status in ("validating_files", "queued", "running"):
        for trainer in set(engine.trainer_pids()) - killed:
            os.kill(trainer, signal.SIGKILL)
            killed.add(trainer)
    job = client.fine_tuning.jobs.retrieve(job.id)
    assert len(killed) == 3
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "3 times" in job.error.message and "may have been out of memory" in job.error.message


def test_a_trainer_that_hangs_is_ended(engine, client, training):
    job = client.start(training)
    client.wait(job, until=lambda _: engine.trainer_pids())
    [trainer] = engine.trainer_pids()
    os.kill(trainer, signal.SIGSTOP)
    long_ago = 0
    os.utime(engine.home / "jobs" / job.id / "metrics.jsonl", (long_ago, long_ago))
    engine.wait_until_gone(trainer)
    client.fine_tuning.jobs.cancel(job.id)


def test_another_seed_gives_other_losses(client, short, tuned):
    assert len(client.losses(short)) == 3
    assert client.losses(short)[0] != client.losses(tuned)[0]
