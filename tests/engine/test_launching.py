"""Trainers by torchrun: what several processes learn together is what one learns alone, however they are broken off."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.engine.talk import Client
from tests.engine.test_server import run_engine
from tests.engine_process import ROOT, EngineProcess


@pytest.fixture(scope="module")
def two(engine, tmp_path_factory):
    settings = {"ENGINE_TRAINING": "torchrun:2", "ENGINE_MODELS": f"tiny={engine.tiny}"}
    with EngineProcess(tmp_path_factory.mktemp("two"), **settings) as two:
        yield two


def test_two_processes_learn_what_one_learns(engine):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1", "--nproc-per-node=2"]
    learn = ["-m", "tests.engine.learn", str(engine.tiny)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    alone, together = (
        subprocess.Popen([sys.executable, *how, *learn], cwd=ROOT, env=env, stdout=subprocess.PIPE)
        for how in ([], torchrun)
    )
    found, expected = (json.loads(process.communicate()[0]) for process in (together, alone))
    assert len(found) == len(expected) > 0
    for mine, single in zip(found, expected, strict=True):
        assert mine == pytest.approx(single, abs=1e-4)


def both_at_work(engine, client, job):
    """The trainers, once a step was taken since now."""
    before = len(client.losses(job))
    client.wait(job, until=lambda job: len(client.losses(job)) > before)
    trainers = engine.trainer_pids()
    assert len(trainers) == 2
    return trainers


def gone(engine, trainers):
    for trainer in trainers:
        engine.wait_until_gone(trainer)


def test_two_that_are_broken_off_go_on(two, training, validation, long_options, client, tuned):
    second = Client.of(two)
    job = second.start(training, validation_file=second.upload(validation), **long_options)
    trainers = both_at_work(two, second, job)
    os.kill(trainers[1], signal.SIGKILL)
    gone(two, trainers)

    trainers = both_at_work(two, second, job)
    second.fine_tuning.jobs.pause(job.id)
    gone(two, trainers)
    paused_at = len(second.losses(job))
    second.wait(job, until=lambda job: second.checkpoints(job)[0].step_number == paused_at)
    second.fine_tuning.jobs.resume(job.id)

    trainers = both_at_work(two, second, job)
    two.kill()
    gone(two, trainers)
    two.start()

    job = second.wait(job)
    assert job.status == "succeeded", job.error
    # In bfloat16 a sum depends on how it is cut up.
    assert second.losses(job) == pytest.approx(client.losses(tuned), abs=0.05)
    answer = second.ask(job.fine_tuned_model, "What is d?", max_tokens=40)
    assert answer.choices[0].message.content == "Letter d: да."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE_TRAINING", "torchrun:0"),
        ("ENGINE_TRAINING", "ray:head:8265"),
        ("ENGINE_TRAINING", "everywhere"),
        ("ENGINE_RAY_GPUS", "-1"),
    ],
)
def test_a_bad_setting_is_a_refusal_to_start(engine, name, value):
    done = run_engine(engine, "--no-key", "--model", f"tiny={engine.tiny}", **{name: value})
    assert done.returncode == 1 and name in done.stderr
