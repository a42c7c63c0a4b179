"""`python -m engine`: see README.md."""

import fcntl
import logging
import os
import signal
import socket
import sys
import tempfile

import uvicorn

from engine import app, settings
from engine.bases import BadSource

# For the models' libraries: no chatter, and threads that wait awake for the next operation only and then sleep:
# asleep at once they cost a sixth of a reply's speed, and awake for longer a training beside them nearly all of it.
LIBRARIES = {
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "PYTHONWARNINGS": "ignore::FutureWarning",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "100000",
}
SHUTDOWN_PATIENCE = 5  # seconds for open requests


def main():
    for name, value in LIBRARIES.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        chosen = settings.read()
        listener = _listen(chosen.host, chosen.port)
        _lock = _claim(chosen.home)
        application = app.build(chosen)
    except (settings.BadSetting, BadSource) as error:
        sys.exit(f"engine: {error}")
    # Uploads are spooled on the disk that will keep them.
    tempfile.tempdir = str(chosen.home / "tmp")
    # uvicorn raises the signal again once all has stopped in order; that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        application, log_config=None, access_log=False, timeout_graceful_shutdown=SHUTDOWN_PATIENCE
    )
    print(f"engine: http://{chosen.host}:{chosen.port}/v1, state in {chosen.home}", flush=True)
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    # Threads inside the model's native code would abort the interpreter's own way out.
    os._exit(0 if server.started else 1)


def _listen(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise settings.BadSetting(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _claim(home):
    """Hold the folder for this process: two servers would train the same jobs."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise settings.BadSetting(f"{home} is in use by another engine") from error
    return lock


if __name__ == "__main__":
    main()
