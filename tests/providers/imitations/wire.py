"""How an imitation is spoken to: HTTP on loopback, and what can go wrong on the way."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict
    body: bytes
    headers: dict

    @property
    def call(self):
        return f"{self.method} {self.path}"

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Told:
    """An answer: JSON of `content` unless it is bytes, or `lines` one after another."""

    content: object = None
    status: int = 200
    headers: dict = field(default_factory=dict)
    lines: list | None = None

    @property
    def data(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return self.content.encode() if isinstance(self.content, str) else json.dumps(self.content).encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, there):
        super().__init__(("127.0.0.1", 0), type("Bound", (Handler,), {"there": there}))

    def start(self):
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def log_message(self, *_args):
        pass

    def finish(self):
        with suppress(OSError):  # whoever asked has hung up
            super().finish()

    def do_GET(self):
        url = urlsplit(self.path)
        asked = Asked(
            self.command, url.path.removeprefix("/v1"), parse_qs(url.query),
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            {name.lower(): value for name, value in self.headers.items()},
        )  # fmt: skip
        told = self.there.hear(asked)
        if told is None:
            self.hang_up()
        elif told.lines is not None:
            self.tell_lines(told)
        else:
            self.tell(told)

    do_POST = do_DELETE = do_GET

    def hang_up(self):
        self.close_connection = True
        self.connection.close()

    def begin(self, told, headers):
        self.send_response(told.status)
        for name, value in {"Content-Type": "application/json", **told.headers, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def tell(self, told):
        data = told.data
        self.begin(told, {"Content-Length": str(len(data))})
        with suppress(OSError):
            self.wfile.write(data)
            self.wfile.flush()

    def tell_lines(self, told):
        """With a pause after each line, until the reader hangs up."""
        self.close_connection = True
        self.begin(told, {"Connection": "close"})
        with suppress(OSError):
            for line in told.lines:
                self.wfile.write(line.encode())
                if self.there.pace:
                    self.wfile.flush()
                    time.sleep(self.there.pace)
            self.wfile.flush()
