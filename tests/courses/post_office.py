"""A mail server on this machine that takes letters, or refuses, or hangs up, as it is told."""

import socketserver
import threading


class PostOffice(socketserver.ThreadingTCPServer):
    """`letters` are those it has taken; `refuses` {"RCPT": "550 no"} answers a command so; `at_end` runs before it says taken."""

    daemon_threads = allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Counter)
        self.letters, self.calls, self.refuses, self.at_end = [], 0, {}, lambda: None

    @property
    def port(self):
        return self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.shutdown()
        self.server_close()


class Counter(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.calls += 1
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            command = line.split()[0].upper()
            if command in self.server.refuses:
                answer = self.server.refuses[command]
                if not answer:
                    return
                self.say(answer)
            elif command == "DATA":
                self.take()
            elif command == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 well")

    def take(self):
        self.say("354 go on")
        letter = b""
        while not letter.endswith(b"\r\n.\r\n"):
            letter += self.rfile.readline()
        self.server.letters.append(letter.decode())
        self.server.at_end()
        self.say("250 taken")

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())
