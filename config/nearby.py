"""The engine of this installation, started for as long as a command needs it where none runs yet."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings

from common.states import Refused
from config.keys import ROOT, VAR
from config.ports import LOCAL, any_free
from providers import connecting

PATIENCE = 60


@contextmanager
def engine():
    """Settings.ENGINE_URL answers inside; an engine that was started for it is gone after."""
    if answers(settings.ENGINE_URL):
        yield
        return
    port = any_free()
    url, before = f"http://{LOCAL}:{port}/v1", settings.ENGINE_URL
    (VAR / "log").mkdir(parents=True, exist_ok=True)
    with open(VAR / "log" / "engine.log", "ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "engine", "--port", str(port), "--home", _home()],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "ENGINE_KEYS": settings.ENGINE_KEY},
        )  # fmt: skip
    try:
        settings.ENGINE_URL = url
        _wait(child, url)
        yield
    finally:
        settings.ENGINE_URL = before
        child.terminate()
        child.wait(20)


def _home():
    return os.environ.get("ENGINE_HOME") or str(VAR / "engine")


def answers(url) -> bool:
    parts = urlsplit(url)
    return connecting.answers(f"{parts.scheme}://{parts.netloc}/healthz")


def _wait(child, url):
    ends = time.monotonic() + PATIENCE
    while not answers(url):
        if child.poll() is not None or time.monotonic() > ends:
            raise Refused(f"The engine does not start; {VAR / 'log' / 'engine.log'} says why.")
        time.sleep(0.2)
