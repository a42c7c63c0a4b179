"""Trainers as Ray Jobs, on a cluster that sees the engine's folder and the models under the same paths.

They outlive a killed server, which finds them again: JOBDIR/ray.json has the number of a job's last start.
"""

import json
import logging
import os
import shlex
import time
from pathlib import Path

from ray.job_submission import JobStatus, JobSubmissionClient

from engine.launching import command

logger = logging.getLogger(__name__)

EVERY = 1  # seconds between two questions to Ray
GRACE = 20  # seconds that Ray gives a trainer to save
CUT_OFF = RuntimeError, OSError


class RayJobs:
    server = None

    def __init__(self, address, gpus):
        self.address, self.gpus, self._client = address, gpus, None

    def ready(self):
        try:
            self._client = self._client or JobSubmissionClient(self.address)
            self._client.get_version()
        except CUT_OFF as error:
            logger.warning("jobs wait for Ray: %s", error)
            return False
        return True

    def running(self, folder):
        last = _last(folder)
        if last["ended"] or not self._knows(_id(folder, last["number"])):
            return None
        return Submission(self._client, folder, last["number"])

    def start(self, folder, batch_size):
        last = _last(folder)
        number = last["number"] + last["ended"]
        _note(folder, number, ended=False)
        trainer = shlex.join(["python", *command(min(self.gpus, batch_size), folder)])
        self._client.submit_job(
            entrypoint=f"exec {trainer} >> {shlex.quote(str(folder / 'trainer.log'))} 2>&1",
            submission_id=_id(folder, number),
            runtime_env={
                "py_modules": [str(Path(__file__).parent)],
                "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(GRACE)},
            },
            entrypoint_num_gpus=self.gpus,
        )
        return Submission(self._client, folder, number)

    def _knows(self, id):
        try:
            self._client.get_job_info(id)
        except RuntimeError as error:
            if _is_unknown(error):
                return False
            raise
        return True


class Submission:
    def __init__(self, client, folder, number):
        self.client, self.folder, self.number = client, folder, number
        self.id, self.asked, self.status, self._next = _id(folder, number), False, None, 0

    def poll(self):
        if self.status is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self._look()
        return self.status

    def stop(self):
        if not self.asked:
            self.asked = self._ask_to_stop()

    def kill(self):
        """Ray's only way is to ask, and to kill after the time of grace; it may be out of reach."""
        if self.poll() is None:
            self.stop()
        patience = time.monotonic() + 2 * GRACE
        while self.asked and self.poll() is None and time.monotonic() < patience:
            time.sleep(EVERY)

    def _ask_to_stop(self):
        try:
            self.client.stop_job(self.id)
        except CUT_OFF as error:
            logger.warning("%s is not asked to stop: %s", self.id, error)
            time.sleep(EVERY)
            return False
        return True

    def _look(self):
        try:
            info = self.client.get_job_info(self.id)
        except CUT_OFF as error:
            logger.warning("nothing is known of %s: %s", self.id, error)
            if _is_unknown(error):
                self._end(1, "Ray has lost it: the cluster was started anew.")
            # Else the silence of its log tells when to give up.
            return
        if info.status == JobStatus.PENDING:
            os.utime(self.folder / "metrics.jsonl")
        elif info.status.is_terminal():
            told = info.driver_exit_code is not None or info.status == JobStatus.STOPPED
            self._end(info.driver_exit_code or 0, None if told else info.message)

    def _end(self, status, words):
        self.status = status
        _note(self.folder, self.number, ended=True)
        if words:
            with (self.folder / "trainer.log").open("a") as log:
                print(words, file=log)


def _id(folder, number):
    return f"{folder.name}-{number}"


def _last(folder):
    try:
        return json.loads((folder / "ray.json").read_text())
    except FileNotFoundError:
        return {"number": 1, "ended": False}


def _note(folder, number, ended):
    draft = folder / "ray.json.draft"
    draft.write_text(json.dumps({"number": number, "ended": ended}))
    draft.replace(folder / "ray.json")


def _is_unknown(error):
    return "does not exist" in str(error)
