"""Children of one parent: started in order, started again if they die, stopped in reverse, never orphaned."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PAUSES = (1, 2, 4, 8, 16, 30)  # seconds before a child that died is started again
STEADY = 60  # seconds after which a child counts as healthy
LOG_BYTES = 10 * 1024**2
PR_SET_PDEATHSIG = 1
LINUX = ctypes.CDLL(None) if sys.platform == "linux" else None


class Failed(Exception):
    """What cannot be mended by starting it again."""


@dataclass(frozen=True)
class Child:
    """A program to keep running or, `once`, to run to its end before the next one starts.

    The next one waits until this one is `ready`. A `door`, through which work comes in, is the first to stop.
    """

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    once: bool = False
    door: bool = False
    ready: Callable[[], bool] = lambda: True


def say(text: str) -> None:
    """Tell the screen, even one that has been closed meanwhile."""
    with suppress(OSError):
        os.write(1, f"{text}\n".encode())


class Guard:
    """A process that outlives its parent by a moment, to kill the groups that were left behind.

    It reads "+group" and "-group" from a pipe. The pipe ends when the parent does, however that came.
    """

    def __init__(self):
        reading, self.pipe = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self.pipe)
                self.watch(reading)
            finally:
                os._exit(0)
        os.close(reading)

    def watch(self, reading: int) -> None:
        os.setsid()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        groups = set()
        with open(reading) as orders:
            for order in orders:
                change = groups.add if order[0] == "+" else groups.discard
                change(int(order[1:]))
        for group in groups:
            kill_group(group)

    def enter(self) -> None:
        """Called in a child between fork and exec, so that there is no moment without a guard."""
        self.tell("+", os.getpid())
        if LINUX:
            LINUX.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def tell(self, change: str, group: int) -> None:
        with suppress(OSError):
            os.write(self.pipe, f"{change}{group}\n".encode())

    def close(self) -> None:
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def kill_group(group: int) -> None:
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)


class Running:
    """One child as it runs: its process, its log, and when it is to be started again."""

    def __init__(self, child: Child, logs: Path, guard: Guard):
        self.child, self.guard = child, guard
        self.log, self.old_log = logs / f"{child.name}.log", logs / f"{child.name}.log.1"
        if self.log.exists():
            self.log.replace(self.old_log)
        self.deaths = 0
        self.done = False
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        try:
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.child.argv,
                    env=os.environ | self.child.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=self.guard.enter,
                )
        except OSError as error:
            raise Failed(f"{self.child.name} cannot be started: {error}") from error

    def settled(self) -> bool:
        """Whether the next child may start."""
        return self.done or (bool(self.process) and not self.child.once and self.child.ready())

    def watch(self) -> None:
        """Start the child again if it died, later each time; keep its log within bounds."""
        if self.process and self.process.poll() is not None:
            self.bury()
        elif not self.process and not self.done and time.monotonic() >= self.again_at:
            self.start()
        if self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.old_log)
            os.truncate(self.log, 0)

    def bury(self) -> None:
        lived = time.monotonic() - self.started
        code = self.clear()
        self.done = self.child.once and not code
        if self.done:
            return
        if self.child.once:
            raise Failed(f"{self.child.name} failed: {self.last_words()}")
        self.deaths = 1 if lived > STEADY else self.deaths + 1
        pause = PAUSES[min(self.deaths, len(PAUSES)) - 1]
        self.again_at = time.monotonic() + pause
        end = f"signal {-code}" if code < 0 else f"exit code {code}"
        say(f"{self.child.name} stopped with {end}, starts again in {pause} s: {self.last_words()}")

    def stop(self, hurried: Callable[[], bool]) -> None:
        """Ask the child to stop, wait for its grace unless hurried, then kill what is left of its group."""
        if not self.process:
            return
        self.process.send_signal(self.child.stop_signal)
        deadline = time.monotonic() + self.child.grace
        while self.process.poll() is None and time.monotonic() < deadline and not hurried():
            time.sleep(0.02)
        self.clear()

    def clear(self) -> int:
        """Kill whatever is left of the child's group, once; the child's exit code."""
        process, self.process = self.process, None
        kill_group(process.pid)
        self.guard.tell("-", process.pid)
        return process.wait()

    def last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1] if lines else 'without a word'} ({self.log})"


class Supervisor:
    def __init__(self, children: list[Child], logs: Path):
        self.children, self.logs = children, logs
        self.running: list[Running] = []
        self.asked = 0

    def run(self, when_ready: Callable[[], None] = lambda: None) -> int:
        """Keep the children running until a signal asks for the end (a second hurries it): the exit code."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.guard = Guard()
        self.listen()
        try:
            self.start()
            if not self.asked:
                when_ready()
            while not self.asked:
                self.watch()
            return 0
        except Failed as failure:
            say(str(failure))
            return 1
        finally:
            self.stop()
            self.guard.close()

    def listen(self) -> None:
        signal.signal(signal.SIGINT, self.ask)
        signal.signal(signal.SIGTERM, self.ask)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self.ask)

    def ask(self, number, frame) -> None:
        self.asked += 1

    def start(self) -> None:
        for child in self.children:
            running = Running(child, self.logs, self.guard)
            self.running.append(running)
            while not self.asked and not running.settled():
                self.watch()
            if self.asked:
                return

    def watch(self) -> None:
        time.sleep(0.1)
        for each in self.running:
            each.watch()

    def stop(self) -> None:
        doors_last = sorted(self.running, key=lambda each: each.child.door)
        for each in reversed(doors_last):
            each.stop(hurried=lambda: self.asked > 1)
