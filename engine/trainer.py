"""Train one job: `python -m engine.trainer JOBDIR`.

SIGTERM lets it finish its step, save and leave a checkpoint.

In: job.json, training.jsonl and perhaps validation.jsonl. Out: metrics.jsonl, which only grows, a PEFT folder
for each epoch under checkpoints/, and final/. state.safetensors is what a next process resumes from.
"""

import json
import math
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from safetensors import SafetensorError

from engine import ranks, room
from engine.batching import Schedule
from engine.encoding import ChatEncoder
from engine.examples import read_examples
from engine.preferences import PreferenceTraining
from engine.process import LAUNCHER, Orphaned, check_parent, die_with_parent
from engine.shortage import go_first, is_out_of_memory, limit_memory, out_of_memory
from engine.stopping import EarlyStopping
from engine.training import LoraTraining

SAVE_EVERY = 60  # seconds
VALIDATE_EVERY = 5  # steps
VALIDATION_BATCH = 4  # examples
NICENESS = 5  # chats go first
LOSSES = {
    "train_loss": "training loss",
    "valid_loss": "validation loss",
    "full_valid_loss": "full validation loss",
}


class Diverged(Exception):
    """The loss is no longer a number."""


class Trainer:
    def __init__(self, folder, order, log):
        self.folder, self.log = folder, log if ranks.FIRST else Silence()
        self.method, encoder = order["method"], ChatEncoder.load(order["base"])
        self.training = self._examples("training.jsonl", encoder)
        self.validation = self._examples("validation.jsonl", encoder)
        self.n_epochs = order["n_epochs"]
        self.schedule = Schedule(len(self.training), order["batch_size"], self.n_epochs, order["seed"])
        self.total_steps = self.schedule.total_steps
        settings = order["base"], order["seed"], order["learning_rate"], self.total_steps
        if self.method == "dpo":
            self.model = PreferenceTraining(*settings, beta=order["beta"])
        else:
            self.model = LoraTraining(*settings)
        self.stopping = EarlyStopping(order["early_stopping_patience"], self.n_epochs)
        self.state, self.final = folder / "state.safetensors", folder / "final"
        self.parent, self.asked_to_stop = parent(order), False

    def _examples(self, name, encoder):
        path = self.folder / name
        if not path.exists():
            return []
        return [encoder.encode(example, self.method) for _, example in read_examples(path, self.method)]

    def run(self):
        first = self._begin()
        began = last_save = time.monotonic()
        for step in range(first, self.total_steps + 1):
            if self.stopping.over:
                break
            metrics = self._step(step)
            pace = (time.monotonic() - began) / (step - first + 1)
            self._report(step, metrics, seconds_left=pace * (self.total_steps - step))
            stop = ranks.any_of(self.asked_to_stop)
            if self.schedule.ends_epoch(step) or stop:
                self._checkpoint(step, metrics)
            due = time.monotonic() - last_save > SAVE_EVERY
            if due or self.schedule.ends_epoch(step) or stop:
                self._save(step)
                last_save = time.monotonic()
            if stop:
                return
        if ranks.FIRST:
            self.model.save_adapter(self.final)
        tokens = sum(self.model.tokens(example) for example in self.training) * self.stopping.epochs
        self.log.write("done", trained_tokens=tokens, remark=self.stopping.remark())

    def _begin(self):
        """The first step to take: behind the saved one, or 1 after a look at the untuned model."""
        if self.state.exists():
            try:
                progress = self.model.restore(self.state)
                self.stopping.losses = progress.get("losses", [])
                return progress["step"] + 1
            except SafetensorError:
                self.log.write("lost", at=time.time())
                ranks.wait()
                self.state.unlink(missing_ok=True)
        if self.validation:
            self._report(0, self._full_validation(), seconds_left=None)
        return 1

    def _step(self, step):
        batch = [self.training[position] for position in self.schedule.batch(step)]
        metrics = _named("train", self.model.step(step, batch, self._alive))
        if self.validation and step % VALIDATE_EVERY == 0:
            metrics |= _named("valid", self.model.validate(self._validation_batch(step), self._alive))
        if self.validation and self.schedule.ends_epoch(step):
            metrics |= self._full_validation()
        return metrics

    def _validation_batch(self, step):
        start = step // VALIDATE_EVERY * VALIDATION_BATCH
        places = range(start, start + min(VALIDATION_BATCH, len(self.validation)))
        return [self.validation[place % len(self.validation)] for place in places]

    def _full_validation(self):
        return _named("full_valid", self.model.validate(self.validation, self._alive))

    def _report(self, step, metrics, seconds_left):
        for name, words in LOSSES.items():
            if not math.isfinite(metrics.get(name, 0)):
                raise Diverged(f"The {words} is not a number at step {step}.")
        metrics = {"step": step, "total_steps": self.total_steps, **metrics}
        self.log.write("step", metrics=metrics, seconds_left=seconds_left)

    def _checkpoint(self, step, metrics):
        folder = self.folder / "checkpoints" / f"step-{step}"
        if ranks.FIRST:
            self.model.save_adapter(folder)
        counts = self.stopping.patience and self.schedule.ends_epoch(step)
        best = counts and self.stopping.add(metrics["full_valid_loss"])
        if best and ranks.FIRST:
            _copy(folder, self.final)
        self.log.write("checkpoint", step=step)

    def _save(self, step):
        self.log.to_disk()  # a power cut must not take the losses of steps that are behind the state
        if ranks.FIRST:
            self.model.save(self.state, step=step, losses=self.stopping.losses)
        self.log.write("saved", step=step)

    def _alive(self):
        if self.parent:
            check_parent(self.parent)
        self.log.touch()


def _copy(folder, target):
    """Replace the target; the files are shared, which nobody writes to again."""
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(folder, draft, copy_function=os.link)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _named(part, metrics):
    return {f"{part}_{name}": value for name, value in metrics.items()}


class Log:
    """metrics.jsonl: a line a write, so that a killed trainer leaves whole lines."""

    def __init__(self, path):
        self.file = path.open("ab", buffering=0)
        # Closes a line that a lost machine may have torn.
        if path.stat().st_size:
            self.file.write(b"\n")

    def write(self, kind, **fields):
        self.file.write(json.dumps({"kind": kind, **fields}).encode() + b"\n")

    def touch(self):
        os.utime(self.file.fileno())

    def to_disk(self):
        os.fsync(self.file.fileno())


class Silence:
    """The log of all but the first of several trainers."""

    def write(self, kind, **fields):
        pass

    def touch(self):
        pass

    def to_disk(self):
        pass


def parent(order):
    """The process without which there is to be no trainer; None on a cluster."""
    return int(os.environ.get(LAUNCHER, 0)) or order["server"]


def main(folder):
    order = json.loads((folder / "job.json").read_text())
    if parent(order):
        die_with_parent()
    go_first()
    os.nice(NICENESS)
    # Ctrl-C in a terminal reaches the whole group; only the server decides when the trainer ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = Log(folder / "metrics.jsonl")
    limit_memory(order["memory_mb"])
    try:
        ranks.meet()
        trainer = Trainer(folder, order, log)
        signal.signal(signal.SIGTERM, lambda *_: setattr(trainer, "asked_to_stop", True))
        trainer.run()
    except Diverged as error:
        log.write("failed", code="training_diverged", message=str(error))
    except Orphaned:
        sys.exit("the server is gone")
    except Exception as error:
        if room.is_full(error):
            # An orderly end would fail too, where the output has words left to write.
            os._exit(room.EXIT_STATUS)
        if not is_out_of_memory(error):
            raise
        log.write("failed", code="out_of_memory", message=out_of_memory(order["memory_mb"]))
        traceback.print_exc()
        if ranks.TOGETHER:
            sys.exit(1)  # which ends the others


if __name__ == "__main__":
    main(Path(sys.argv[1]))
