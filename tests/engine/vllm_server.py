"""An imitation of `vllm serve --enable-lora`: vLLM's addresses, answers and faults over HTTP, and no model.

A chat is answered with the model's name and the last message; `fault` is what goes wrong next.
"""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = 4


class VllmServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, base, key, most=100):
        super().__init__(("127.0.0.1", 0), Handler)
        self.base, self.key, self.most = base, key, most
        self.adapters, self.asked, self.hung_up = {}, [], threading.Event()
        self.fault, self.go_on = None, threading.Event()
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()

    def server_close(self):
        self.shutdown()  # a thread that still serves would spin at the closed socket
        super().server_close()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        """A client that hangs up is no news."""

    def bodies(self, path):
        return [body for asked, body in self.asked if asked == path]

    def quiet(self):
        """As it was after its start."""
        self.asked.clear()
        self.adapters.clear()
        self.fault, self.most = None, 100
        self.go_on.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        names = [self.server.base, *self.server.adapters]
        self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return self._json(401, {"error": "Unauthorized"})
        if self.server.fault == "html":
            return self._send(
                500, "text/html", "<h1>Internal Server Error</h1>Traceback (most recent call last)"
            )
        if self.server.fault == "silent":
            return time.sleep(2)
        answers = {
            "/v1/load_lora_adapter": self._load,
            "/v1/unload_lora_adapter": self._unload,
            "/v1/chat/completions": self._chat,
        }
        if self.server.fault == "no updates":
            del answers["/v1/load_lora_adapter"]
        if self.path not in answers:
            return self._json(404, {"detail": "Not Found"})
        answers[self.path](body)

    def _load(self, body):
        name, path = body["lora_name"], body["lora_path"]
        if name in self.server.adapters:
            words = f"The lora adapter '{name}' has already been loaded."
            return self._error(400, "InvalidUserInput", words)
        if self.server.fault == "no folder":
            words = f"Loading lora {name} failed: No adapter found for {path}"
            return self._error(404, "NotFoundError", words)
        if len(self.server.adapters) >= self.server.most:
            return self._error(500, "InternalServerError", "No free lora slots.")
        self.server.adapters[name] = path
        self._send(200, "text/plain", f"Success: LoRA adapter '{name}' added successfully.")

    def _unload(self, body):
        name = body["lora_name"]
        if not self.server.adapters.pop(name, None):
            return self._error(404, "NotFoundError", f"The lora adapter '{name}' cannot be found.")
        self._send(200, "text/plain", f"Success: LoRA adapter '{name}' removed successfully.")

    def _chat(self, body):
        model = body["model"]
        if model not in [self.server.base, *self.server.adapters]:
            return self._error(404, "NotFoundError", f"The model `{model}` does not exist.")
        if self.server.fault == "too long":
            return self._error(400, "BadRequestError", "This model's maximum context length is 64 tokens.")
        if body.get("stream"):
            return self._stream(model)
        text = f"{model}: {body['messages'][-1]['content']}"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        self._json(200, {**self._head(model, "chat.completion"), "choices": [choice], "usage": usage})

    def _stream(self, model):
        """Words; behind the first it waits for `go_on`, and notices who hangs up meanwhile."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(WORDS):
            self._event(json.dumps(self._piece(model, number)))
            while not self.server.go_on.wait(0.05):
                if self._gone():
                    return self.server.hung_up.set()
            if self.server.fault == "drop":
                return self.connection.shutdown(socket.SHUT_RDWR)
            if self.server.fault == "error event":
                self._event(json.dumps({"error": {"message": "EngineCore died", "code": 500}}))
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, model, number):
        finish = "stop" if number == WORDS - 1 else None
        choice = {"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": finish}
        return {**self._head(model, "chat.completion.chunk"), "choices": [choice]}

    def _gone(self):
        self.connection.setblocking(False)
        try:
            return self.connection.recv(1) == b""
        except BlockingIOError:
            return False
        finally:
            self.connection.setblocking(True)

    def _head(self, model, kind):
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model}

    def _event(self, data):
        event = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")

    def _error(self, status, kind, words):
        error = {"message": words, "type": kind, "param": None, "code": status}
        self._json(status, {"error": error})

    def _json(self, status, body):
        self._send(status, "application/json", json.dumps(body))

    def _send(self, status, kind, text):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())
