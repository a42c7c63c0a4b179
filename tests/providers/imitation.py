"""A provider on loopback, shaped as OpenAI's API: files, fine-tuning jobs, chat; it can be told to misbehave."""

import json
import re
import time
from email.parser import BytesParser
from email.policy import HTTP
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class Imitation:
    """`with Imitation() as there:` … `there.base_url`; `there.requests` is all that it was asked, in order."""

    def __init__(self):
        self.files, self.jobs, self.events, self.checkpoints = {}, {}, {}, {}
        self.requests, self.orders = [], []
        self.reply = lambda model, messages: f"{model} answers."
        self._ids, self._clock = count(1), count(1_700_000_000)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"there": self}))
        self.server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self):
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self.server.shutdown()
        self.server.server_close()

    def when(self, call, times=1, **order):
        """The next `times` requests of this kind ("POST /files", "DELETE /files/*", "*") are answered so.

        status, error (a dict), text, headers: this answer; drop="before" or "after": the connection is closed,
        in the second case when the request has been carried out; wait: seconds before the answer.
        """
        self.orders.append({"call": call, "times": times, **order})

    def asked(self, call):
        """The requests of this kind."""
        return [each for each in self.requests if fnmatchcase(each["call"], call)]

    def order_for(self, call):
        for order in self.orders:
            if order["times"] and fnmatchcase(call, order["call"]):
                order["times"] -= 1
                return order
        return {}

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
            "validation_file": None, "metadata": None, "model": "tiny", "training_file": "", **body,
        }  # fmt: skip
        self.jobs[job["id"]] = job
        self.events[job["id"]], self.checkpoints[job["id"]] = [], []
        return job

    def add_event(self, job_id, type="message", message="", **data):
        event = {
            "id": self.id("ftevent"), "object": "fine_tuning.job.event", "created_at": self.now(), "level": "info",
            "type": type, "message": message, "data": data,
        }  # fmt: skip
        self.events[job_id].append(event)
        return event

    def add_checkpoint(self, job_id, step, **metrics):
        self.checkpoints[job_id].append(
            {
                "id": self.id("ftckpt"), "object": "fine_tuning.job.checkpoint", "created_at": self.now(),
                "fine_tuned_model_checkpoint": f"ft:tiny:ckpt-step-{step}", "fine_tuning_job_id": job_id,
                "step_number": step, "metrics": {"step": step, **metrics},
            }
        )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    there: Imitation
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def do_GET(self):
        there, url = self.there, urlsplit(self.path)
        path, query = url.path.removeprefix("/v1"), parse_qs(url.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {path}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        there.requests.append({"call": call, "query": query, "body": body, "headers": headers})
        order = there.order_for(call)
        time.sleep(order.get("wait", 0))
        if order.get("drop") == "before":
            return self.hang_up()
        if {"status", "text"} & set(order):
            return self.tell_order(order)
        status, answer = self.carry_out(path, query, body)
        if order.get("drop") == "after":
            return self.hang_up()
        if answer is not None:
            self.tell(status, json.dumps(answer))

    do_POST = do_DELETE = do_GET

    def hang_up(self):
        self.close_connection = True
        self.connection.close()

    def tell_order(self, order):
        error = {"message": "no", "type": "invalid_request_error", "code": None, **order.get("error", {})}
        text = order.get("text", json.dumps({"error": error}))
        headers = {"Content-Type": "application/json", **order.get("headers", {})}
        self.tell(order.get("status", 200), text, **headers)

    def tell(self, status, text, **headers):
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def carry_out(self, path, query, body):
        """(status, JSON), or None for JSON where the answer was sent already."""
        for pattern, do in ROUTES:
            found = re.fullmatch(pattern, f"{self.command} {path}")
            if found:
                return do(self, *found.groups(), query=query, body=body)
        return missing()

    def make_file(self, query, body):
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        }
        file = {
            "id": self.there.id("file"), "object": "file", "created_at": self.there.now(), "status": "processed",
            "filename": parts["file"].get_filename(), "bytes": len(parts["file"].get_payload(decode=True)),
            "purpose": parts["purpose"].get_payload(decode=True).decode(),
        }  # fmt: skip
        self.there.files[file["id"]] = {**file, "data": parts["file"].get_payload(decode=True)}
        return 200, file

    def list_files(self, query, body):
        rows = [
            {key: value for key, value in file.items() if key != "data"} for file in self.there.files.values()
        ]
        return 200, page(rows[::-1], query)

    def delete_file(self, file_id, query, body):
        if self.there.files.pop(file_id, None) is None:
            return missing()
        return 200, {"id": file_id, "object": "file", "deleted": True}

    def make_job(self, query, body):
        return 200, self.there.add_job(**json.loads(body))

    def list_jobs(self, query, body):
        rows = list(self.there.jobs.values())[::-1]
        wanted = {key[9:-1]: value[0] for key, value in query.items() if key.startswith("metadata[")}
        if wanted:
            rows = [row for row in rows if wanted.items() <= (row["metadata"] or {}).items()]
        return 200, page(rows, query)

    def one_job(self, job_id, query, body):
        return (200, self.there.jobs[job_id]) if job_id in self.there.jobs else missing()

    def cancel_job(self, job_id, query, body):
        job = self.there.jobs.get(job_id)
        if job is None:
            return missing()
        if job["status"] in ("succeeded", "failed", "cancelled"):
            return 400, {"error": {"message": "Job has ended.", "code": "job_not_cancellable", "type": "x"}}
        job["status"] = "cancelled"
        return 200, job

    def list_events(self, job_id, query, body):
        return 200, page(self.there.events[job_id][::-1], query)

    def list_checkpoints(self, job_id, query, body):
        return 200, page(self.there.checkpoints[job_id][::-1], query)

    def list_models(self, query, body):
        return 200, page([{"id": "tiny", "object": "model", "created": 1, "owned_by": "x"}], query)

    def chat(self, query, body):
        asked = json.loads(body)
        text = self.there.reply(asked["model"], asked["messages"])
        frame = {"id": self.there.id("chatcmpl"), "created": self.there.now(), "model": asked["model"]}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        if asked.get("stream"):
            self.tell_stream(frame, text, usage)
            return 200, None
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return 200, {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}

    def tell_stream(self, frame, text, usage):
        chunk = {**frame, "object": "chat.completion.chunk"}
        deltas = [
            {"role": "assistant", "content": ""},
            *({"content": word} for word in re.findall(r"\S+\s*", text)),
        ]
        chunks = [
            {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
        ]
        chunks.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({**chunk, "choices": [], "usage": usage})
        lines = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks)
        self.tell(200, f"{lines}data: [DONE]\n\n", Content_Type="text/event-stream")


def missing():
    return 404, {"error": {"message": "Not found.", "code": "not_found", "type": "invalid_request_error"}}


def page(rows, query):
    """Newest first, `limit` of them after the one with id `after`."""
    after, limit = query.get("after", [None])[0], int(query.get("limit", ["20"])[0])
    start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
    shown = rows[start : start + limit]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {}
    return {"object": "list", "data": shown, "has_more": start + limit < len(rows), **ends}


ROUTES = [
    (r"POST /files", Handler.make_file),
    (r"GET /files", Handler.list_files),
    (r"DELETE /files/([^/]+)", Handler.delete_file),
    (r"POST /fine_tuning/jobs", Handler.make_job),
    (r"GET /fine_tuning/jobs", Handler.list_jobs),
    (r"GET /fine_tuning/jobs/([^/]+)", Handler.one_job),
    (r"POST /fine_tuning/jobs/([^/]+)/cancel", Handler.cancel_job),
    (r"GET /fine_tuning/jobs/([^/]+)/events", Handler.list_events),
    (r"GET /fine_tuning/jobs/([^/]+)/checkpoints", Handler.list_checkpoints),
    (r"GET /models", Handler.list_models),
    (r"POST /chat/completions", Handler.chat),
]
