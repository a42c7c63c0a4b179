"""The supervisor with real processes: nothing here knows Django."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from config.ports import Taken, settle

ROOT = Path(__file__).resolve().parents[2]

SUPERVISOR = """
import json, sys
from pathlib import Path
from config.processes import Child, Supervisor, say
children = [Child(**each) for each in json.loads(sys.argv[1])]
sys.exit(Supervisor(children, Path("log")).run(when_ready=lambda: say("ready")))
"""
# Writes its process id to NAME.pid and, when asked to stop, its name to the file `stopped`.
FAITHFUL = """
import os, signal, sys, time
def stop(*_):
    with open("stopped", "a") as file:
        file.write(sys.argv[1] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1] + ".pid", "w").write(str(os.getpid()))
time.sleep(60)
"""
STUBBORN = FAITHFUL.replace("SIGTERM, stop", "SIGTERM, signal.SIG_IGN")
# Has two children of its own, which do not listen either.
PARENT = f"""
import subprocess, sys
for name in ("first", "second"):
    subprocess.Popen([sys.executable, "-c", {STUBBORN!r}, sys.argv[1] + "." + name])
exec({STUBBORN!r})
"""


def child(name, program=FAITHFUL, **rest):
    return {"name": name, "argv": [sys.executable, "-c", program, name], **rest}


def until(true, seconds=15):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def hear_everything():
    """Whatever started the tests, such as nohup, may have closed its ears to this signal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class House:
    """A supervisor under test, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, *children, program=SUPERVISOR):
        argv = [sys.executable, "-c", program, json.dumps(children)]
        env = os.environ | {"PYTHONPATH": str(ROOT), "COURSETUNE_HOME": str(self.folder)}
        with open(self.folder / "screen", "w") as screen:
            self.process = subprocess.Popen(
                argv, cwd=self.folder, env=env, stdout=screen, preexec_fn=hear_everything
            )
        return self

    def ready(self, *names):
        until(lambda: "ready" in self.screen and all(self.pid(name) for name in names))
        return self

    @property
    def screen(self):
        return (self.folder / "screen").read_text()

    @property
    def stopped(self):
        return (self.folder / "stopped").read_text().split()

    def pid(self, name):
        file = self.folder / f"{name}.pid"
        return int(file.read_text() or 0) if file.exists() else 0

    def pids(self):
        return [int(file.read_text()) for file in self.folder.glob("*.pid")]

    def end(self, number=signal.SIGTERM, seconds=15):
        self.process.send_signal(number)
        return self.process.wait(seconds)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.process.kill()
    house.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_children_stop_one_by_one_the_door_first_and_the_rest_in_reverse_order(house, number):
    house.start(child("broker"), child("web", door=True), child("engine"), child("worker"))
    house.ready("broker", "web", "engine", "worker")
    assert house.end(number) == 0
    assert house.stopped == ["web", "worker", "engine", "broker"]
    assert not any(map(alive, house.pids()))


def test_what_does_not_stop_within_its_grace_is_killed_with_its_group(house):
    house.start(child("worker", PARENT, grace=0.3)).ready("worker", "worker.first", "worker.second")
    assert house.end() == 0
    until(lambda: not any(map(alive, house.pids())))


def test_a_second_signal_does_not_wait(house):
    house.start(child("worker", PARENT, grace=60)).ready("worker", "worker.first", "worker.second")
    house.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        house.process.wait(0.5)
    assert house.end(signal.SIGINT, seconds=2) == 0
    until(lambda: not any(map(alive, house.pids())))


def test_a_killed_supervisor_leaves_nobody_behind(house):
    house.start(child("worker", PARENT), child("web")).ready("worker", "worker.first", "worker.second", "web")
    assert all(map(alive, house.pids()))
    house.end(signal.SIGKILL)
    until(lambda: not any(map(alive, house.pids())), seconds=2)


def test_a_supervisor_killed_while_it_stops_leaves_nobody_behind(house):
    house.start(child("worker", PARENT, grace=60), child("web")).ready("worker", "worker.second", "web")
    house.process.send_signal(signal.SIGTERM)
    until(lambda: (house.folder / "stopped").exists())
    house.end(signal.SIGKILL)
    until(lambda: not any(map(alive, house.pids())), seconds=2)


def test_a_child_that_dies_is_started_again_and_its_group_is_gone(house):
    house.start(child("worker", PARENT), child("web")).ready("worker", "worker.first", "worker.second")
    old = house.pids()
    os.kill(house.pid("worker"), signal.SIGKILL)
    until(lambda: "worker stopped with signal 9, starts again in 1 s" in house.screen)
    until(lambda: not any(map(alive, set(old) - {house.pid("web")})))
    until(lambda: house.pid("worker") not in [*old, 0] and alive(house.pid("worker")))


def test_the_pauses_grow_and_the_last_words_are_on_the_screen(house):
    house.start(child("web", "raise SystemExit('no engine today')"))
    until(lambda: "starts again in 2 s: no engine today" in house.screen)
    assert "web stopped with exit code 1, starts again in 1 s: no engine today" in house.screen
    assert house.end() == 0


def test_a_step_runs_to_its_end_before_the_next_child_starts(house):
    step = "import time; time.sleep(0.5); open('step', 'w')"
    house.start(child("migrate", step, once=True), child("web", "open('step'); " + FAITHFUL)).ready("web")
    assert "stopped" not in house.screen
    assert house.end() == 0
    assert house.stopped == ["web"]


def test_a_step_that_fails_ends_the_run(house):
    house.start(child("broker"), child("migrate", "raise SystemExit('no table')", once=True), child("web"))
    assert house.process.wait(15) == 1
    assert "migrate failed: no table" in house.screen
    assert not house.pid("web")
    assert not any(map(alive, house.pids()))


def test_a_program_that_is_missing_ends_the_run(house):
    house.start(child("broker"), {"name": "engine", "argv": ["/nowhere/engine"]})
    assert house.process.wait(15) == 1
    assert "engine cannot be started" in house.screen
    assert not any(map(alive, house.pids()))


def test_the_log_before_this_start_is_kept_and_no_other(house):
    for word in ("first", "second", "third"):
        house.start(child("web", f"print({word!r}, flush=True); {FAITHFUL}")).ready("web")
        until(lambda word=word: word in (house.folder / "log/web.log").read_text())
        house.end()
    assert (house.folder / "log/web.log.1").read_text() == "second\n"
    assert len(list((house.folder / "log").iterdir())) == 2


BROKER = """
import os, sys
from config import supervisor
os.environ.update(supervisor.environment(set()))
children = [supervisor.broker()]
say_where = lambda: supervisor.say(os.environ["REDIS_URL"])
sys.exit(supervisor.Supervisor(children, supervisor.LOGS).run(say_where))
"""


def test_the_broker_comes_back_with_its_address_and_asks_for_its_password(house, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    house.start(program=BROKER)
    until(lambda: house.screen.startswith("redis://"))
    with closing(redis.Redis.from_url(house.screen.strip(), retry=None)) as client:
        first = client.info("server")["process_id"]
        os.kill(first, signal.SIGKILL)
        until(lambda: "broker stopped with signal 9" in house.screen)
        until(lambda: answers(client))
        assert client.info("server")["process_id"] != first
    with socket.create_connection(("127.0.0.1", urlsplit(house.screen).port)) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    assert (house.folder / "broker.conf").stat().st_mode & 0o777 == 0o600
    assert house.end() == 0


def answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


@pytest.fixture
def busy():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_that_was_named_is_refused(busy, monkeypatch):
    monkeypatch.setenv("WEB_PORT", str(busy))
    with pytest.raises(Taken, match=f"WEB_PORT={busy} is taken by ") as refusal:
        settle("WEB_PORT", 8000)
    if Path("/proc/net/tcp").exists():
        assert f"pid {os.getpid()}" in str(refusal.value)


def test_a_taken_port_that_was_not_named_gives_way_to_the_next_and_says_so(busy, monkeypatch):
    monkeypatch.delenv("WEB_PORT", raising=False)
    said = []
    assert settle("WEB_PORT", busy, said.append, avoid=busy + 1) > busy + 1
    assert f"Port {busy} is taken by " in said[0]


@pytest.mark.parametrize("value", ["web", "0", "65536", "-1"])
def test_what_is_no_port_is_refused_by_name(value, monkeypatch):
    monkeypatch.setenv("WEB_PORT", value)
    with pytest.raises(Taken, match=f"WEB_PORT={value} "):
        settle("WEB_PORT", 8000)


def test_a_second_start_in_one_folder_is_refused(house):
    hold = (
        "import os, time\nfrom config.supervisor import alone, say\n"
        "with alone() as lock:\n"
        "    lock.write(f'pid {os.getpid()}, http://127.0.0.1:8123')\n    lock.flush()\n"
        "    say('ready')\n    time.sleep(60)\n"
    )
    house.start(program=hold).ready()
    env = os.environ | {"COURSETUNE_HOME": str(house.folder)}
    argv = [sys.executable, "-m", "config.supervisor"]
    second = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=10)
    assert second.returncode == 1
    assert second.stderr == f"CourseTune already runs here, pid {house.process.pid}, http://127.0.0.1:8123\n"


def test_eight_that_ask_at_once_get_one_key_that_only_its_owner_reads(tmp_path):
    home = tmp_path / "home"
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", "from config.keys import key; print(key('secret_key'))"],
            cwd=ROOT,
            env=os.environ | {"COURSETUNE_HOME": str(home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    answers = {process.communicate(timeout=20)[0] for process in asking}
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 44
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in home.iterdir()] == ["secret_key"]
