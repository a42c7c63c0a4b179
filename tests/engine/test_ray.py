"""Training on a real Ray cluster of this machine: only where Ray is installed (requirements-ray.txt)."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.engine.talk import Client
from tests.engine_process import EngineProcess, free_port

pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    port, dashboard = free_port(), free_port()
    options = ["--num-cpus=2", f"--port={port}", f"--dashboard-port={dashboard}", "--disable-usage-stats"]
    programs = Path(sys.executable).parent
    ray = subprocess.Popen(
        [programs / "ray", "start", "--head", "--block", *options],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address, patience = f"http://127.0.0.1:{dashboard}", time.monotonic() + 60
    while not answers(f"{address}/api/version"):
        assert ray.poll() is None and time.monotonic() < patience, "Ray did not start"
        time.sleep(0.2)
    yield address
    ray.terminate()
    ray.wait()


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


def test_a_killed_server_finds_its_training_again(
    engine, tmp_path, head, training, validation, long_options, client, tuned
):
    settings = {"ENGINE_TRAINING": f"ray:{head}", "ENGINE_RAY_GPUS": "0"}
    with EngineProcess(tmp_path, ENGINE_MODELS=f"tiny={engine.tiny}", **settings) as elsewhere:
        second = Client.of(elsewhere)
        job = second.start(training, validation_file=second.upload(validation), **long_options)
        second.wait(job, until=lambda job: second.losses(job))
        [trainer] = elsewhere.trainer_pids()
        elsewhere.kill()
        os.kill(trainer, signal.SIGSTOP)
        elsewhere.start()
        seen = len(second.losses(job))
        os.kill(trainer, signal.SIGCONT)
        second.wait(job, until=lambda job: len(second.losses(job)) > seen)
        assert elsewhere.trainer_pids() == [trainer]

        second.fine_tuning.jobs.pause(job.id)
        elsewhere.wait_until_gone(trainer)
        last = len(second.losses(job))
        second.wait(job, until=lambda job: second.checkpoints(job)[0].step_number == last)
        second.fine_tuning.jobs.resume(job.id)
        job = second.wait(job)
        assert job.status == "succeeded", job.error
        assert second.metrics(job) == client.metrics(tuned)
        record = elsewhere.home / "jobs" / job.id / "ray.json"
        assert json.loads(record.read_text()) == {"number": 2, "ended": True}
