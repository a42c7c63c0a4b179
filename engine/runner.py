"""Train the queued jobs, one at a time, each by a trainer of its own, and follow its log."""

import json
import signal
import time

from engine import room
from engine.hyperparameters import LEARNING_RATES
from engine.jobs import ALIVE, KEPT_CHECKPOINTS
from engine.worker import PAUSE, Worker

# A trainer touches its log after every forward pass; one that is silent for so long hangs.
SILENCE = 600  # seconds
GRACE = 20  # seconds to finish a step and save
WAIT = 5  # seconds until the launcher is asked again
HUNG = f"It gave no sign of life for {SILENCE} s."
KILLED = "It was killed; the system may have been out of memory."


class Runner(Worker):
    statuses = ("running", "queued")

    def __init__(self, jobs, bases, memory_mb, launcher):
        super().__init__(jobs, bases)
        self.memory_mb, self.launcher = memory_mb, launcher

    def work(self, job):
        if not self.launcher.ready():
            return self.stopping.wait(WAIT)
        folder = self.jobs.folder(job)
        if trainer := self.launcher.running(folder) or self._start(job, folder):
            self._see_through(job, folder, trainer)

    def _start(self, job, folder):
        """A new trainer, or None where there is none to be."""
        log = folder / "metrics.jsonl"
        log.touch()
        base = self.bases[job["model"]].folder()
        if lack := room.lack(base, folder, KEPT_CHECKPOINTS):
            return self.jobs.fail(job, "disk_full", lack)
        if not self.jobs.start(job, saved_step(log)):
            return
        self._write_order(job, base, folder)
        return self.launcher.start(folder, job["hyperparameters"]["batch_size"])

    def _see_through(self, job, folder, trainer):
        log = Log(folder / "metrics.jsonl")
        try:
            end = self._follow(job, trainer, log)
        finally:
            trainer.kill()
        if end.get("kind") == "done":
            self.jobs.succeed(job, end["trained_tokens"], end.get("remark"))
        elif end.get("kind") == "failed":
            self.jobs.fail(job, end["code"], end["message"])
        elif trainer.poll() == room.EXIT_STATUS:
            self.jobs.fail(job, "disk_full", room.disk_full(folder))
        elif self.stopping.is_set():
            self.jobs.rest(job)
        if self.jobs.get(job["id"])["status"] not in ALIVE:
            self.jobs.tidy(job)
        elif trainer.poll() == -signal.SIGKILL:
            with (folder / "trainer.log").open("a") as words:
                print(HUNG if log.silence() > SILENCE else KILLED, file=words)

    def _write_order(self, job, base, folder):
        chosen = job["hyperparameters"]
        order = {
            "server": self.launcher.server,
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

    def _follow(self, job, trainer, log):
        """Record what the trainer reports until it ends; returns its last word, if it had one."""
        end = {}
        while True:
            ended = trainer.poll() is not None
            for line in log.new_lines():
                end = self._record(job, line) or end
            if ended:
                return end
            status = self.jobs.get(job["id"])["status"]
            if status not in ALIVE or log.silence() > SILENCE:
                trainer.kill()
            elif status != "running":
                trainer.stop()
            if self.stopping.wait(PAUSE):
                self._halt(trainer)

    def _record(self, job, line):
        """A line of the last kind is returned."""
        if line["kind"] == "step":
            self.jobs.record_step(job, line["metrics"], line["seconds_left"])
        elif line["kind"] == "checkpoint":
            self.jobs.record_checkpoint(job, line["step"])
        elif line["kind"] == "lost":
            words = "The saved state cannot be read: training starts again at the first step"
            self.jobs.say(job, f"lost-{line['at']}", words, "warn")
        elif line["kind"] in ("done", "failed"):
            return line

    def _halt(self, trainer):
        """Let it finish its step and save."""
        trainer.stop()
        patience = time.monotonic() + GRACE
        while trainer.poll() is None and time.monotonic() < patience:
            time.sleep(PAUSE)
        trainer.kill()


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
