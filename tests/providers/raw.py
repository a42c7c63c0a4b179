"""A server that says whatever bytes it is given, as fast as they are taken."""

import socket
from contextlib import closing, contextmanager, suppress
from threading import Thread

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Raw:
    def __init__(self, listener):
        self.listener, self.heads, self.sent = listener, [], 0
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    def answer_with(self, pieces):
        while self.listener.fileno() != -1:
            with suppress(OSError):  # a handshake may fail, and at the end the listener is closed
                here, _peer = self.listener.accept()
                Thread(target=self._tell, args=(here, pieces()), daemon=True).start()

    def _tell(self, here, pieces):
        with closing(here), suppress(OSError):
            self.heads.append(here.recv(65536))
            for piece in pieces:
                here.sendall(piece)
                self.sent += len(piece)


@contextmanager
def saying(pieces, tls=None):
    """`pieces` makes the bytes of one answer, perhaps without end; `tls` is the context of a server that uses it."""
    listener = socket.create_server(("127.0.0.1", 0))
    with closing(tls.wrap_socket(listener, server_side=True) if tls else listener) as listener:
        raw = Raw(listener)
        Thread(target=raw.answer_with, args=(pieces,), daemon=True).start()
        yield raw
