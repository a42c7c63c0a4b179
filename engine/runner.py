"""Train the queued jobs, one at a time, each in a process of its own, and follow its log."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from engine import room
from engine.hyperparameters import LEARNING_RATES
from engine.jobs import ALIVE, KEPT_CHECKPOINTS
from engine.worker import PAUSE, Worker

# A trainer touches its log after every forward pass; one that is silent for so long hangs.
SILENCE = 600  # seconds
GRACE = 20  # seconds to finish a step and save
HUNG = f"It gave no sign of life for {SILENCE} s."
KILLED = "It was killed; the system may have been out of memory."


class Runner(Worker):
    statuses = ("running", "queued")

    def __init__(self, jobs, bases, memory_mb):
        super().__init__(jobs, bases)
        self.memory_mb = memory_mb

    def work(self, job):
        folder = self.jobs.folder(job)
        log = folder / "metrics.jsonl"
        log.touch()
        base = self.bases[job["model"]].folder()
        if lack := room.lack(base, folder, KEPT_CHECKPOINTS):
            return self.jobs.fail(job, "disk_full", lack)
        if not self.jobs.start(job, saved_step(log)):
            return
        self._write_order(job, base, folder)
        process, log = self._launch(folder), Log(log)
        try:
            end = self._follow(job, process, log)
        finally:
            process.kill()
            process.wait()
        if end.get("kind") == "done":
            self.jobs.succeed(job, end["trained_tokens"], end.get("remark"))
        elif end.get("kind") == "failed":
            self.jobs.fail(job, end["code"], end["message"])
        elif process.returncode == room.EXIT_STATUS:
            self.jobs.fail(job, "disk_full", room.disk_full(folder))
        elif self.stopping.is_set():
            self.jobs.rest(job)
        if self.jobs.get(job["id"])["status"] not in ALIVE:
            self.jobs.tidy(job)
        elif process.returncode == -signal.SIGKILL:
            with (folder / "trainer.log").open("a") as words:
                print(HUNG if log.silence() > SILENCE else KILLED, file=words)

    def _write_order(self, job, base, folder):
        chosen = job["hyperparameters"]
        order = {
            "server": os.getpid(),
            "base": str(base),
            "method": job["method"],
            "n_epochs": chosen["n_epochs"],
            "batch_size": chosen["batch_size"],
            "learning_rate": LEARNING_RATES[job["method"]] * chosen["learning_rate_multiplier"],
            "beta": chosen.get("beta"),
            "early_stopping_patience": chosen.get("early_stopping_patience"),
            "seed": job["seed"],
            "memory_mb": self.memory_mb,
        }
        (folder / "job.json").write_text(json.dumps(order))

    def _launch(self, folder):
        # The server's idle threads sleep, for its chats' sake; a trainer's had better spin: a third quicker.
        environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        with (folder / "trainer.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "engine.trainer", str(folder)],
                cwd=Path(__file__).parents[1],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _follow(self, job, process, log):
        """Record what the trainer reports until it ends; returns its last word, if it had one."""
        end = {}
        while True:
            ended = process.poll() is not None
            for line in log.new_lines():
                end = self._record(job, line) or end
            if ended:
                return end
            status = self.jobs.get(job["id"])["status"]
            if status not in ALIVE or log.silence() > SILENCE:
                process.kill()
            elif status != "running":
                process.terminate()
            if self.stopping.wait(PAUSE):
                self._halt(process)

    def _record(self, job, line):
        """A line of the last kind is returned."""
        if line["kind"] == "step":
            self.jobs.record_step(job, line["metrics"], line["seconds_left"])
        elif line["kind"] == "checkpoint":
            self.jobs.record_checkpoint(job, line["step"])
        elif line["kind"] == "lost":
            words = "The saved state cannot be read: training starts again at the first step"
            self.jobs.say(job, f"lost-{time.time()}", words, "warn")
        elif line["kind"] in ("done", "failed"):
            return line

    def _halt(self, process):
        """Let the trainer finish its step and save."""
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()


class Log:
    """A trainer's metrics.jsonl, read as it grows."""

    def __init__(self, path):
        self.path, self.place = path, 0

    def new_lines(self):
        with self.path.open("rb") as file:
            file.seek(self.place)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                self.place += len(raw)
                if line := _parsed(raw):
                    yield line

    def silence(self):
        return time.time() - self.path.stat().st_mtime


def _parsed(raw):
    """None for a line that a dying trainer left torn."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def saved_step(path):
    """The step after which the trainer last saved its state; 0 when there is none to go on from."""
    step = 0
    for line in Log(path).new_lines():
        step = {"saved": line.get("step"), "lost": 0}.get(line["kind"], step)
    return step
