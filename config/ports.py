"""Which port of this machine a program may take, and who has the one it may not."""

import glob
import os
import socket
from contextlib import suppress

LOCAL = "127.0.0.1"


class Taken(Exception):
    pass


def settle(variable: str, default: int, say=print, avoid: int = 0) -> int:
    """The port that the environment names, else the first free one from `default` on, but not `avoid`."""
    named = os.environ.get(variable)
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65536:
            raise Taken(f"{variable}={named} is not the number of a port.")
        if not free(int(named)):
            raise Taken(f"{variable}={named} is taken by {holder(int(named))}.")
        return int(named)
    port = next(port for port in range(default, 65536) if port != avoid and free(port))
    if port != default:
        say(f"Port {default} is taken by {holder(default)}, so {port} it is; {variable} names another.")
    return port


def free(port: int) -> bool:
    with socket.socket() as listener, socket.socket() as caller:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOCAL, port))
        except OSError:
            return False
        return caller.connect_ex((LOCAL, port)) != 0


def any_free() -> int:
    with socket.socket() as listener:
        listener.bind((LOCAL, 0))
        return listener.getsockname()[1]


def holder(port: int) -> str:
    """Who listens on the port, as far as the system tells (Linux does, of one's own processes)."""
    listening = set()
    for table in glob.glob("/proc/net/tcp*"):
        with open(table) as rows:
            for _, address, _, state, *_, inode in (row.split()[:10] for row in rows):
                if address.endswith(f":{port:04X}") and state == "0A":
                    listening.add(f"socket:[{inode}]")
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(link) in listening:
                pid = link.split("/")[2]
                with open(f"/proc/{pid}/comm") as name:
                    return f"{name.read().strip()} (pid {pid})"
    return "another program"
