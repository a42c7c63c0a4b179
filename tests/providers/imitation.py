"""A provider on loopback, shaped as OpenAI's API: files, fine-tuning jobs, chat; it can be told to misbehave.

Those in `imitations` differ from it as the real ones do.
"""

import base64
import json
import random
import re
import time
from email.parser import BytesParser
from email.policy import HTTP
from fnmatch import fnmatchcase
from itertools import count

from tests.providers.imitations.answers import missing, page, refusal
from tests.providers.imitations.training import checkpoints_of, curve, results_of, settle
from tests.providers.imitations.wire import Asked, Server, Told

ENDED = ("succeeded", "failed", "cancelled")


class Imitation:
    """`with Imitation() as there:` … `there.base_url`; `there.requests` is all that it was asked, in order."""

    FIELDS = {
        "model", "training_file", "validation_file", "method", "hyperparameters", "seed", "suffix", "metadata",
        "integrations",
    }  # fmt: skip
    HYPERPARAMETERS = {"n_epochs", "batch_size", "learning_rate_multiplier", "beta"}
    COLUMNS = {
        "step": "step", "train_loss": "train_loss", "train_accuracy": "train_mean_token_accuracy",
        "valid_loss": "valid_loss", "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    }  # fmt: skip
    ROUTES = [
        (r"POST /files", "make_file"),
        (r"GET /files", "list_files"),
        (r"GET /files/([^/]+)/content", "file_content"),
        (r"DELETE /files/([^/]+)", "delete_file"),
        (r"POST /fine_tuning/jobs", "make_job"),
        (r"GET /fine_tuning/jobs", "list_jobs"),
        (r"GET /fine_tuning/jobs/([^/]+)", "one_job"),
        (r"POST /fine_tuning/jobs/([^/]+)/cancel", "cancel_job"),
        (r"POST /fine_tuning/jobs/([^/]+)/pause", "pause_job"),
        (r"POST /fine_tuning/jobs/([^/]+)/resume", "resume_job"),
        (r"GET /fine_tuning/jobs/([^/]+)/events", "list_events"),
        (r"GET /fine_tuning/jobs/([^/]+)/checkpoints", "list_checkpoints"),
        (r"GET /models", "list_models"),
        (r"POST /chat/completions", "chat"),
    ]

    def __init__(self):
        self.files, self.jobs, self.events, self.checkpoints = {}, {}, {}, {}
        self.models = {"tiny": {"shutdown_date": None}}
        self.requests, self.orders = [], []
        self.reply = lambda model, messages: f"{model} answers."
        self.pace = 0  # seconds between the pieces of a stream
        self.list_lag = 0  # seconds until a new job is in lists
        self.order = "newest first"  # of lists: or "oldest first", "any"
        self.drops_metadata = self.ignores_filter = self.wraps_results = False
        self.rendered = None  # pages of the list of jobs, see `fill`
        self._made, self._ids, self._clock = {}, count(1), count(1_700_000_000)
        self.server = Server(self)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_exception):
        self.server.stop()

    def when(self, call, times=1, **order):
        """The next `times` requests of this kind ("POST /files", "DELETE /files/*", "*") are answered so.

        status, error (a dict), text, headers: this answer, with accept=True after the request was carried out;
        drop="before" or "after": the connection is closed, in the second case when the request has been carried out;
        wait, slow: seconds before it is carried out and after; cut: bytes of the true answer that are told.
        `imitations.faults` has them by name.
        """
        self.orders.append({"call": call, "times": times, **order})

    def asked(self, call):
        """The requests of this kind."""
        return [each for each in self.requests if fnmatchcase(each["call"], call)]

    def hear(self, asked: Asked) -> Told | None:
        """The answer; None where the connection is closed without one."""
        self.requests.append(
            {"call": asked.call, "query": asked.query, "body": asked.body, "headers": asked.headers}
        )
        order = self._order_for(asked.call)
        time.sleep(order.get("wait", 0))
        told = None
        ordered = {"status", "text"} & set(order)
        if order.get("drop") != "before" and (not ordered or order.get("accept")):
            told = self.carry_out(asked)
        time.sleep(order.get("slow", 0))
        if order.get("drop"):
            return None
        if "cut" in order:
            return Told(told.data[: order["cut"]], told.status)
        return self._ordered(order) if ordered else told

    def _order_for(self, call):
        for order in self.orders:
            if order["times"] and fnmatchcase(call, order["call"]):
                order["times"] -= 1
                return order
        return {}

    def _ordered(self, order):
        error = {"message": "no", "type": "invalid_request_error", "code": None, **order.get("error", {})}
        text = order.get("text", json.dumps({"error": error}))
        return Told(text, order.get("status", 200), order.get("headers", {}))

    def carry_out(self, asked) -> Told:
        for pattern, name in self.ROUTES:
            found = re.fullmatch(pattern, asked.call)
            if found:
                return getattr(self, name)(*found.groups(), asked)
        return missing()

    def id(self, kind):
        return f"{kind}-{next(self._ids)}"

    def now(self):
        return next(self._clock)

    def add_job(self, **body):
        job = {
            "id": self.id("ftjob"), "object": "fine_tuning.job", "created_at": self.now(), "status": "validating_files",
            "error": {}, "fine_tuned_model": None, "finished_at": None, "estimated_finish": None,
            "hyperparameters": {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"},
            "organization_id": "org-1", "result_files": [], "seed": 42, "trained_tokens": None,
            "validation_file": None, "metadata": None, "model": "tiny", "training_file": "",
            "user_provided_suffix": body.pop("suffix", None), **body,
        }  # fmt: skip
        if self.drops_metadata:
            job["metadata"] = None
        self.jobs[job["id"]] = job
        self.events[job["id"]], self.checkpoints[job["id"]] = [], []
        self._made[job["id"]] = time.monotonic()
        return job

    def add_event(self, job_id, type="message", message="", **data):
        event = {
            "id": self.id("ftevent"), "object": "fine_tuning.job.event", "created_at": self.now(), "level": "info",
            "type": type, "message": message, "data": data,
        }  # fmt: skip
        self.events[job_id].append(event)
        return event

    def add_checkpoint(self, job_id, step, **metrics):
        checkpoint = {
            "id": self.id("ftckpt"), "object": "fine_tuning.job.checkpoint", "created_at": self.now(),
            "fine_tuned_model_checkpoint": f"ft:tiny:ckpt-step-{step}", "fine_tuning_job_id": job_id,
            "step_number": step, "metrics": {"step": step, **metrics},
        }  # fmt: skip
        self.checkpoints[job_id].append(checkpoint)
        return checkpoint

    def add_file(self, name, data, purpose):
        file = {
            "id": self.id("file"), "object": "file", "created_at": self.now(), "status": "processed",
            "filename": name, "bytes": len(data), "purpose": purpose,
        }  # fmt: skip
        self.files[file["id"]] = {**file, "data": data}
        return file

    def fill(self, number, **body):
        """So many jobs, and the pages of their list ready to be told; after a change call `render`."""
        made = [self.add_job(**body) for _turn in range(number)]
        self.render()
        return made

    def render(self):
        """Write the pages of the list down once, 100 jobs a page: what they say does not change until the next time."""
        rows, self.rendered = self._listed(), {}
        for start in range(0, max(len(rows), 1), 100):
            after = rows[start - 1]["id"] if start else None
            asked = {"after": [after], "limit": ["100"]} if after else {"limit": ["100"]}
            self.rendered[after] = json.dumps(page(rows, asked)).encode()

    def run(self, job_id, epochs=3, steps=4):
        """It trains: the status, the hyperparameters as numbers, and an event for each step."""
        job = self.jobs[job_id]
        job["status"] = "running"
        settle(job, epochs)
        for row in curve(epochs, steps):
            self.tell_step(job_id, row)
        return job

    def tell_step(self, job_id, row):
        self.add_event(job_id, "metrics", f"Step {row['step']}/{row['total_steps']}", **row)

    def finish(self, job_id, epochs=3, steps=4, tokens=1234):
        """Train it to its end: events, checkpoints, results file, and the name of the model."""
        job = self.run(job_id, epochs, steps)
        for row in checkpoints_of(curve(epochs, steps)):
            self.tell_checkpoint(job, row)
        job["result_files"] = self.make_results(curve(epochs, steps))
        job |= {"status": "succeeded", "trained_tokens": tokens, "finished_at": self.now()}
        self.name_model(job)
        return job

    def tell_checkpoint(self, job, row):
        made = self.add_checkpoint(job["id"], **row)
        made["fine_tuned_model_checkpoint"] = f"{self.model_of(job)}:ckpt-step-{row['step']}"
        return made

    def make_results(self, rows):
        data = results_of(rows, self.COLUMNS)
        data = base64.b64encode(data) if self.wraps_results else data
        return [self.add_file("step_metrics.csv", data, "fine-tune-results")["id"]]

    def model_of(self, job):
        return f"ft:{job['model']}:org-1:{job['user_provided_suffix'] or ''}:{job['id']}"

    def name_model(self, job):
        job["fine_tuned_model"] = self.model_of(job)

    def make_file(self, asked):
        head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser(policy=HTTP).parsebytes(head + asked.body).iter_parts()
        }
        data = parts["file"].get_payload(decode=True)
        problem = self.problem_of_file(data)
        if problem:
            return refusal(400, problem, "invalid_file_format")
        purpose = parts["purpose"].get_payload(decode=True).decode()
        return Told(self.add_file(parts["file"].get_filename(), data, purpose))

    def problem_of_file(self, data):
        return "" if data else "The file is empty."

    def list_files(self, asked):
        rows = [{key: value for key, value in file.items() if key != "data"} for file in self.files.values()]
        return Told(page(self._ordered_rows(rows), asked.query))

    def file_content(self, file_id, asked):
        if file_id not in self.files:
            return missing()
        return Told(self.files[file_id]["data"], headers={"Content-Type": "application/octet-stream"})

    def delete_file(self, file_id, asked):
        if self.files.pop(file_id, None) is None:
            return missing()
        return Told({"id": file_id, "object": "file", "deleted": True})

    def make_job(self, asked):
        body = asked.json
        problem = self.problem_of_job(body)
        if problem:
            return problem if isinstance(problem, Told) else refusal(400, problem, "invalid_request")
        return Told(self.add_job(**body))

    def problem_of_job(self, body):
        """What is wrong with the request, as a text or an answer; empty where nothing is."""
        if unknown := set(body) - self.FIELDS:
            return f"Unknown fields: {', '.join(sorted(unknown))}."
        hyper = self.hyperparameters_in(body)
        if unknown := set(hyper) - self.HYPERPARAMETERS:
            return f"Unknown hyperparameters: {', '.join(sorted(unknown))}."
        if len(body.get("suffix") or "") > 64:
            return "The suffix is longer than 64 characters."
        return ""

    def hyperparameters_in(self, body):
        method = body.get("method") or {}
        return method.get(method.get("type"), {}).get("hyperparameters") or body.get("hyperparameters") or {}

    def list_jobs(self, asked):
        wanted = {key[9:-1]: value[0] for key, value in asked.query.items() if key.startswith("metadata[")}
        if self.rendered and not wanted:
            return Told(
                self.rendered.get(asked.query.get("after", [None])[0], b'{"data": [], "has_more": false}')
            )
        rows = self._listed()
        if wanted and not self.ignores_filter:
            rows = [row for row in rows if wanted.items() <= (row["metadata"] or {}).items()]
        return Told(page(rows, asked.query))

    def _listed(self):
        old_enough = time.monotonic() - self.list_lag
        return self._ordered_rows(
            [self.shown(job) for job in list(self.jobs.values()) if self._made[job["id"]] <= old_enough]
        )

    def _ordered_rows(self, rows):
        if self.order == "any":
            return random.Random(7).sample(rows, len(rows))
        return rows if self.order == "oldest first" else rows[::-1]

    def shown(self, job):
        return job

    def one_job(self, job_id, asked):
        return Told(self.shown(self.jobs[job_id])) if job_id in self.jobs else missing()

    def cancel_job(self, job_id, asked):
        return self._move(job_id, "cancelled", lambda status: status not in ENDED, "job_not_cancellable")

    def pause_job(self, job_id, asked):
        return self._move(job_id, "paused", lambda status: status == "running", "job_not_running")

    def resume_job(self, job_id, asked):
        return self._move(job_id, "queued", lambda status: status == "paused", "job_not_paused")

    def _move(self, job_id, status, may, code):
        job = self.jobs.get(job_id)
        if job is None:
            return missing()
        if not may(job["status"]):
            return refusal(400, f"The job is {job['status']}.", code)
        job["status"] = status
        return Told(self.shown(job))

    def list_events(self, job_id, asked):
        return Told(page(self._ordered_rows(self.events[job_id]), asked.query))

    def list_checkpoints(self, job_id, asked):
        return Told(page(self.checkpoints[job_id][::-1], asked.query))

    def list_models(self, asked):
        rows = [
            {"id": name, "object": "model", "created": 1, "owned_by": "x", **more}
            for name, more in self.models.items()
        ]
        return Told(page(rows, {**asked.query, "limit": ["1000"]}))

    def answers_as(self, model):
        """Whether a chat may name this model."""
        return True

    def chat(self, asked):
        body = asked.json
        if not self.answers_as(body["model"]):
            return refusal(404, f"The model `{body['model']}` does not exist.", "model_not_found")
        text = self.reply(body["model"], body["messages"])
        frame = {"id": self.id("chatcmpl"), "created": self.now(), "model": body["model"]}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        if body.get("stream"):
            return Told(lines=chunks(frame, text, usage), headers={"Content-Type": "text/event-stream"})
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return Told({**frame, "object": "chat.completion", "choices": [choice], "usage": usage})


def chunks(frame, text, usage):
    """The lines of a streamed answer: a word a chunk, at the end the usage."""
    frame = {**frame, "object": "chat.completion.chunk"}
    deltas = [
        {"role": "assistant", "content": ""},
        *({"content": word} for word in re.findall(r"\S+\s*", text)),
    ]
    told = [{**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    told.append({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    told.append({**frame, "choices": [], "usage": usage})
    return [f"data: {json.dumps(each)}\n\n" for each in told] + ["data: [DONE]\n\n"]
