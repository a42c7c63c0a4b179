"""The verbs of a fine-tuning job.

A change of status is one conditional update and its event: of two callers, one wins.
"""

import math
import os
import shutil
import time

from engine import results
from engine.errors import too_many
from engine.store import new_id

ALIVE = ("validating_files", "queued", "running", "paused")
MAX_FRUITLESS_STARTS = 3
KEPT_CHECKPOINTS = 3


class Jobs:
    def __init__(self, store, files, home, most_waiting=0):
        self.store, self.files, self.home, self.most_waiting = store, files, home, most_waiting

    def folder(self, job):
        return self.home / "jobs" / job["id"]

    def get(self, id):
        return self.store.get("jobs", id)

    def oldest(self, *statuses):
        """The next one: a running one, or that of the key whose last start lies furthest back."""
        marks = ", ".join("?" * len(statuses))
        turn = "(SELECT max(started_at) FROM jobs other WHERE other.owner = jobs.owner)"
        order = f"ORDER BY status = 'running' DESC, {turn}, seq LIMIT 1"
        return self.store.one(f"SELECT * FROM jobs WHERE status IN ({marks}) {order}", *statuses)

    def create(self, **wanted):
        """The new job; raises ApiError where its owner has as many as a key may have."""
        id = new_id("ftjob-")
        try:
            with self.store.transaction():
                self._check_number(wanted["owner"])
                job = self.store.insert("jobs", "", id=id, status="validating_files", **wanted)
                self._take_files(job)
                self.say(job, "created", f"Created fine-tuning job: {id}")
        except BaseException:
            shutil.rmtree(self.home / "jobs" / id, ignore_errors=True)
            raise
        return self.get(id)

    def _check_number(self, owner):
        sql = f"SELECT count(*) AS n FROM jobs WHERE owner = ? AND status IN {ALIVE}"
        if self.most_waiting and self.store.one(sql, owner)["n"] >= self.most_waiting:
            has = f"This key has {self.most_waiting} jobs that have not ended, and may have no more."
            raise too_many(f"{has} Wait until one ends, or cancel one.")

    def _take_files(self, job):
        """Link the inputs into the job's folder, so that deleting a file does not stop its job."""
        folder = self.folder(job)
        folder.mkdir(parents=True)
        os.link(self.files.path(job["training_file"]), folder / "training.jsonl")
        if job["validation_file"]:
            os.link(self.files.path(job["validation_file"]), folder / "validation.jsonl")

    def queue(self, job, hyperparameters):
        words = "Files validated, moving job to queued state"
        self._turn(job, "queued", ("validating_files",), "queued", words, hyperparameters=hyperparameters)

    def start(self, job, saved_step):
        """True when the trainer may run. Starts after which nothing new was saved are counted."""
        starts = 1 if saved_step != job["progress"] else job["starts"] + 1
        if starts > MAX_FRUITLESS_STARTS:
            self.fail(job, "server_error", self._why_stuck(job, saved_step))
            return False
        changes = {"starts": starts, "progress": saved_step, "started_at": time.time_ns()}
        if not saved_step and job["status"] == "queued":
            said = "started", "Fine-tuning job started"
        else:
            said = f"resumed-{time.time()}", f"Training resumes after step {saved_step}"
        return self._turn(job, "running", ("queued", "running"), *said, **changes)

    def _why_stuck(self, job, saved_step):
        log = (self.folder(job) / "trainer.log").read_text(errors="replace").strip().splitlines()
        reason = f" Its last words: {log[-1][:200]}" if log else ""
        return f"Training broke off {MAX_FRUITLESS_STARTS} times after step {saved_step}.{reason}"

    def rest(self, job):
        """The server stops in order: the next start is no sign of trouble."""
        self.store.update("jobs", job["id"], starts=0)

    def record_step(self, job, metrics, seconds_left):
        key = f"step-{metrics['step']}"
        with self.store.transaction():
            new = self._event(job, key, _headline(metrics), type="metrics", data=metrics)
            if new and seconds_left is not None:
                self.store.update("jobs", job["id"], estimated_finish=int(time.time() + seconds_left))

    def record_checkpoint(self, job, step):
        """Make the checkpoint a model, and drop the oldest beyond the kept ones."""
        folder = self.folder(job) / "checkpoints" / f"step-{step}"
        if not folder.exists():
            return
        name = f"{self.model_name(job)}:ckpt-step-{step}"
        metrics = self.store.one(
            "SELECT data FROM events WHERE job = ? AND key = ?", job["id"], f"step-{step}"
        )["data"]
        metrics = {key: value for key, value in metrics.items() if key != "total_steps"}
        with self.store.transaction():
            row = {"job": job["id"], "step": step, "model": name, "metrics": metrics}
            if self.store.insert("checkpoints", "ftckpt_", **row):
                self._add_model(name, job, folder)
                self.say(job, f"checkpoint-{step}", f"Checkpoint created at step {step}")
        self._drop_old_checkpoints(job)

    def _drop_old_checkpoints(self, job):
        """All but the last; and, where a training may stop early, the best."""
        every = self.store.all("SELECT * FROM checkpoints WHERE job = ? ORDER BY step DESC", job["id"])
        kept = every[:KEPT_CHECKPOINTS]
        if "early_stopping_patience" in job["hyperparameters"]:
            kept.append(min(reversed(every), key=lambda row: row["metrics"].get("full_valid_loss", math.inf)))
        for old in (row for row in every if row not in kept):
            self.store.execute("DELETE FROM checkpoints WHERE id = ?", old["id"])
            self.delete_model(self.store.get("models", old["model"]))

    def succeed(self, job, trained_tokens, remark=None):
        name = self.model_name(job)
        with self.store.transaction():
            done = {"fine_tuned_model": name, "trained_tokens": trained_tokens}
            if not self._move(job, "succeeded", ("running",), **_end(), **done):
                return
            result = results.write(self.store, self.files, job)
            self.store.update("jobs", job["id"], result_file=result["id"])
            self._add_model(name, job, self.folder(job) / "final")
            if remark:
                self.say(job, "remark", remark)
            self.say(job, "model", f"New fine-tuned model created: {name}")
            self.say(job, "succeeded", "The job has successfully completed")
        self.tidy(job)

    def fail(self, job, code, message, param=None):
        error = {"code": code, "message": message, "param": param}
        words = f"The job failed: {message}"
        if self._turn(job, "failed", ALIVE, "failed", words, "error", **_end(), error=error):
            self.tidy(job)

    def cancel(self, job):
        """False when the job has ended already."""
        done = self._turn(job, "cancelled", ALIVE, "cancelled", "The job was cancelled", **_end())
        if done:
            self.tidy(job)
        return done

    def pause(self, job):
        """False for a job that neither waits nor runs; its trainer saves, and frees the device."""
        said = f"paused-{time.time()}", "The job was paused"
        return self._turn(job, "paused", ("queued", "running"), *said, estimated_finish=None)

    def resume(self, job):
        """False unless the job is paused; it queues again, and goes on after its last saved step."""
        said = f"unpaused-{time.time()}", "The job was resumed, and is queued"
        return self._turn(job, "queued", ("paused",), *said, starts=0)

    def delete_model(self, model):
        if model:
            self.store.execute("DELETE FROM models WHERE id = ?", model["id"])
            shutil.rmtree(self.home / model["folder"], ignore_errors=True)

    def model_name(self, job):
        """ft:BASE:local:SUFFIX:ID, the id taken from the job's, so that it is known from the start."""
        return f"ft:{job['model']}:local:{job['suffix'] or ''}:{job['id'].removeprefix('ftjob-')[:8]}"

    def say(self, job, key, message, level="info"):
        self._event(job, key, message, level=level)

    def _event(self, job, key, message, *, type="message", level="info", data=None):
        """An event's key makes reading a trainer's log twice harmless; None when it is known already."""
        row = {"job": job["id"], "key": key, "message": message, "type": type, "level": level}
        return self.store.insert("events", "ftevent-", **row, data=data or {})

    def _add_model(self, name, job, folder):
        place = str(folder.relative_to(self.home))
        self.store.insert("models", "", id=name, base=job["model"], job=job["id"], folder=place)

    def _move(self, job, to, sources, **changes):
        names = "".join(f", {name} = ?" for name in changes)
        marks = ", ".join("?" * len(sources))
        sql = f"UPDATE jobs SET status = ?{names} WHERE id = ? AND status IN ({marks})"
        return self.store.execute(sql, to, *changes.values(), job["id"], *sources) == 1

    def _turn(self, job, to, sources, key, message, level="info", **changes):
        """Move, and tell of it in the same transaction; False when the job has moved on."""
        with self.store.transaction():
            moved = self._move(job, to, sources, **changes)
            if moved:
                self.say(job, key, message, level)
        return moved

    def tidy(self, job):
        """Remove what only a training still to be done needs, once it is written down that none is."""
        folder = self.folder(job)
        # What a trainer was writing when it was killed: adapters, and drafts of safetensors.
        for draft in [*folder.glob("*.draft"), *folder.glob("checkpoints/*.draft"), *folder.glob(".tmp*")]:
            shutil.rmtree(draft) if draft.is_dir() else draft.unlink(missing_ok=True)
        # The last one says that there was something to remove.
        for name in ("validation.jsonl", "state.safetensors", "training.jsonl"):
            (folder / name).unlink(missing_ok=True)

    def tidy_ended(self):
        """At a start: what is left of trainings that ended just before the server was killed."""
        for inputs in self.home.glob("jobs/*/training.jsonl"):
            job = self.get(inputs.parent.name)
            if job and job["status"] not in ALIVE:
                self.tidy(job)


def _end():
    return {"finished_at": int(time.time()), "estimated_finish": None}


def _headline(metrics):
    words = f"Step {metrics['step']}/{metrics['total_steps']}: "
    shown = {"training loss": "train_loss", "validation loss": "valid_loss"}
    shown["full validation loss"] = "full_valid_loss"
    return words + ", ".join(f"{label}={metrics[key]:.2f}" for label, key in shown.items() if key in metrics)
