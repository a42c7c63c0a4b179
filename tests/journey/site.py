"""The whole product as `make run` starts it, in a folder of its own, with a tiny random model in the engine."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg
from openai import OpenAI

from tests.engine_process import free_port

ROOT = Path(__file__).parents[2]
MODEL = "smollm2-135m-instruct"
EMAIL = "instructor@example.com"


class Site:
    def __init__(self, home: Path):
        self.home = home
        self.tiny = home / "tiny"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.engine_url = f"http://127.0.0.1:{free_port()}/v1"
        self.database = os.environ.get("DATABASE_URL", "")
        if self.database.startswith("postgres"):
            self.database = _fresh_database(self.database)

    def start(self):
        subprocess.run([sys.executable, "-m", "engine.tiny", str(self.tiny)], cwd=ROOT, check=True)
        with open(self.home / "supervisor.log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.wait_for(self.is_ready, 120)
        return self

    @property
    def environment(self):
        told = {name: value for name, value in os.environ.items() if not name.startswith("ENGINE_")}
        return told | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "COURSETUNE_HOME": str(self.home),
            "DATABASE_URL": self.database,
            "WEB_PORT": self.url.rsplit(":", 1)[1],
            "ENGINE_PORT": self.engine_url.split(":")[2].split("/")[0],
            "ENGINE_MODELS": f"{MODEL}={self.tiny}",
            "OMP_NUM_THREADS": "1",
            "SWEEP_SECONDS": "1",
            "LEASE_SECONDS": "8",
        }

    def is_ready(self):
        assert self.process.poll() is None, (self.home / "supervisor.log").read_text()
        return b"is ready" in (self.home / "supervisor.log").read_bytes()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def manage(self, *arguments):
        """The finished process of a management command."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    @property
    def password(self):
        return (self.home / "demo_password").read_text()

    @property
    def engine(self):
        return OpenAI(base_url=self.engine_url, api_key=(self.home / "engine_key").read_text())

    def pids(self, *words):
        """Processes of this site whose command line holds all the words, its orphans among them."""
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
        parents = {int(pid): int(parent) for pid, parent, _state, _command in rows}
        return [
            int(pid)
            for pid, _parent, state, command in rows
            if all(word in command for word in words)
            and not state.startswith("Z")
            and (self._is_below(int(pid), parents) or self._names_our_home(pid))
        ]

    def _is_below(self, pid, parents):
        while pid in parents and pid != self.process.pid:
            pid = parents[pid]
        return pid == self.process.pid

    def _names_our_home(self, pid):
        try:
            return f"COURSETUNE_HOME={self.home}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False

    def kill(self, *words):
        """SIGKILL to what `pids` finds; how many there were."""
        found = self.pids(*words)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    @staticmethod
    def wait_for(what, seconds):
        """What `what()` answers once it is true."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            told = what()
            if told:
                return told
            time.sleep(0.2)
        raise AssertionError(f"{what} did not come true in {seconds} s")


def _fresh_database(url):
    name = f"journey_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url.rsplit('/', 1)[0]}/{name}"
