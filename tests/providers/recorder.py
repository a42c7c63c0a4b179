"""Between a client and a server on this machine: passes on what it hears, and keeps the requests."""

import json
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class Recorder:
    """`with Recorder(address) as heard:` … `heard.base_url`; `heard.requests` is [(call, body)], in order."""

    def __init__(self, address):
        self.behind = urlsplit(address)
        self.requests = []
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Passing,), {"heard": self, "log_message": lambda *_: None})
        )
        self.base_url = f"http://127.0.0.1:{self.server.server_port}{self.behind.path}"

    def __enter__(self):
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self.server.shutdown()
        self.server.server_close()

    def body_of(self, call):
        """What the first request of this kind, such as "POST /fine_tuning/jobs", said."""
        return next(json.loads(body) for told, body in self.requests if told == call)


class Passing(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {self.path.partition('?')[0].removeprefix(self.heard.behind.path)}"
        self.heard.requests.append((call, body))
        there = HTTPConnection(self.heard.behind.netloc, timeout=60)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        there.close()

    do_POST = do_DELETE = do_GET
