"""A real engine for tests: `with EngineProcess(folder) as engine: OpenAI(base_url=engine.base_url, ...)`."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEY = "sk-test-engine"


class EngineProcess:
    """`python -m engine` on a free port with a tiny model named `tiny`; all of its state is under `folder`.

    `home` and `port` stay the same over kill(), stop(), start() and restart().
    """

    key = KEY
    model = "tiny"
    root = ROOT
    arguments = ()

    def __init__(self, folder, **environment):
        folder = Path(folder)
        self.home = folder / "home"
        self.tiny = folder / "tiny"
        self.log = folder / "engine.log"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "ENGINE_HOST": "127.0.0.1",
            "ENGINE_PORT": str(self.port),
            "ENGINE_HOME": str(self.home),
            "ENGINE_KEYS": self.key,
            "ENGINE_MODELS": f"{self.model}={self.tiny}",
            **environment,
        }
        self._process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.kill()

    @property
    def pid(self):
        return self._process.pid

    def start(self, wait=60):
        """Start it and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.tiny.exists():
            subprocess.run([sys.executable, "-m", "engine.tiny", str(self.tiny)], cwd=ROOT, check=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine", *self.arguments],
                cwd=self.root,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + wait
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the engine did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        return self

    def kill(self):
        """SIGKILL the server: nothing is tidied up."""
        self._process.kill()
        self._process.wait()

    def stop(self, wait=60):
        """SIGTERM, and its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(wait)

    def restart(self):
        self.stop()
        return self.start()

    def trainer_pids(self):
        """Processes that train for this engine, whoever is their parent now."""
        found = subprocess.run(
            ["ps", "-wweo", "pid=,stat=,args="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        mine = [line.split(None, 2) for line in found if "engine.trainer" in line and str(self.home) in line]
        return [int(pid) for pid, state, _ in mine if not state.startswith("Z")]

    def wait_until_gone(self, trainer, patience=10):
        """Return once this trainer has ended."""
        deadline = time.monotonic() + patience
        while trainer in self.trainer_pids():
            assert time.monotonic() < deadline, "the trainer goes on"
            time.sleep(0.02)

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
