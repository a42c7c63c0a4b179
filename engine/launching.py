"""Start trainers: here, by torchrun on several devices of this machine, or on a Ray cluster.

A trainer reads JOBDIR/job.json and the JSONL beside it; it writes metrics.jsonl and PEFT folders there. Once
started it can be asked to `poll` (None while it runs, then its exit status), to `stop` (it finishes its step,
saves and ends) and to `kill` (which returns when it has ended).
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAITING = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"


class Here:
    """On this machine; no trainer outlives the server."""

    def __init__(self, most=None):
        """At most so many processes for a job; one for each CUDA device unless it is said."""
        self.most = most
        self.server = os.getpid()

    def ready(self):
        return True

    def running(self, folder):
        """The trainer that an earlier server left at work there, or None."""

    def start(self, folder, batch_size):
        # A process without an example in the batch would do nothing.
        count = min(self.most or _devices(), batch_size)
        # The server's idle threads sleep, for its chats' sake; a trainer's had better spin: a third quicker.
        environment = {name: value for name, value in os.environ.items() if name not in WAITING}
        with (folder / "trainer.log").open("ab") as output:
            return Process(
                [sys.executable, *command(count, folder)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


class Process(subprocess.Popen):
    asked = False

    def stop(self):
        """Once: torchrun lets go of its trainers at a second signal."""
        if not self.asked:
            self.terminate()
        self.asked = True

    def kill(self):
        super().kill()
        self.wait()


def command(count, folder):
    together = ["-m", "engine.torchrun", str(count)] if count > 1 else ["-m", "engine.trainer"]
    return [*together, str(folder)]


def choose(training, gpus):
    """The launcher that ENGINE_TRAINING names."""
    kind, _, where = training.partition(":")
    if kind == "ray":
        from engine.ray_jobs import RayJobs

        return RayJobs(where, gpus)
    return Here({"auto": None, "local": 1}.get(kind) if kind != "torchrun" else int(where))


def _devices():
    import torch

    return max(1, torch.cuda.device_count())
