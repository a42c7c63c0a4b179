"""A job that rests: paused in the queue or in the middle, it goes on as if nothing had happened."""

import os
import signal

import openai
import pytest

from tests.engine.talk import Client
from tests.engine_process import EngineProcess


def paused_in_the_middle(client, training, validation, options):
    job = client.start(training, validation_file=client.upload(validation), **options)
    client.wait(job, until=lambda job: len(client.losses(job)) > 1)
    assert client.fine_tuning.jobs.pause(job.id).status == "paused"
    return job


def test_a_paused_job_leaves_a_model_frees_the_device_and_resumes_with_the_same_losses(
    engine, client, training, validation, long_options, tuned
):
    job = paused_in_the_middle(client, training, validation, long_options)
    for trainer in engine.trainer_pids():
        engine.wait_until_gone(trainer)
    client.wait_for_checkpoint(job)
    snapshot = client.checkpoints(job)[0]
    assert snapshot.step_number == client.metrics(job)[-1]["step"]
    assert client.ask(snapshot.fine_tuned_model_checkpoint).choices
    assert client.wait(client.start(training, hyperparameters={"n_epochs": 1})).status == "succeeded"
    assert client.fine_tuning.jobs.retrieve(job.id).status == "paused"
    assert client.fine_tuning.jobs.resume(job.id).status in ("queued", "running")
    assert client.wait(job).status == "succeeded"
    assert client.metrics(job) == client.metrics(tuned)


def test_resumed_at_once_it_goes_on(client, training, validation, long_options, tuned):
    job = paused_in_the_middle(client, training, validation, long_options)
    client.fine_tuning.jobs.resume(job.id)
    assert client.wait(job).status == "succeeded"
    assert client.metrics(job) == client.metrics(tuned)


def test_a_server_killed_while_a_job_rests(tmp_path, training, validation, long_options, client, tuned):
    with EngineProcess(tmp_path) as engine:
        second = Client.of(engine)
        job = paused_in_the_middle(second, training, validation, long_options)
        engine.kill()
        engine.start()
        assert second.fine_tuning.jobs.retrieve(job.id).status == "paused"
        second.fine_tuning.jobs.resume(job.id)
        second.wait(job, until=lambda job: job.status == "running" and engine.trainer_pids())
        for trainer in engine.trainer_pids():
            os.kill(trainer, signal.SIGKILL)
        assert second.wait(job).status == "succeeded"
        assert second.metrics(job) == client.metrics(tuned)


def test_a_job_is_paused_in_the_queue(client, training, long_options):
    first, second = client.start(training, **long_options), client.start(training)
    client.wait(second, until=lambda job: job.status == "queued")
    assert client.fine_tuning.jobs.pause(second.id).status == "paused"
    assert client.fine_tuning.jobs.resume(second.id).status == "queued"
    assert client.fine_tuning.jobs.pause(second.id).status == "paused"
    for job in (first, second):
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_an_ended_job_neither_pauses_nor_resumes(client, short, verb):
    with pytest.raises(openai.BadRequestError, match="status is 'succeeded'") as caught:
        getattr(client.fine_tuning.jobs, verb)(short.id)
    assert (caught.value.type, caught.value.code) == ("invalid_request_error", "invalid_job_status")
