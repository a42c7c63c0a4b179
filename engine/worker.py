"""A thread that takes the jobs of certain statuses, one after the other."""

import logging
import threading

from engine.room import is_full

logger = logging.getLogger(__name__)
PAUSE = 0.1  # seconds
REST = 2  # seconds after an error: a full disk would bring the same one again at once


class Worker(threading.Thread):
    """Subclasses name their `statuses` and do the `work` on one job."""

    statuses = ()

    def __init__(self, jobs, bases):
        super().__init__(daemon=True, name=type(self).__name__)
        self.jobs, self.bases = jobs, bases
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                if not self._take_one():
                    self.stopping.wait(PAUSE)
            except Exception:
                logger.exception("%s goes on after an error", self.name)
                self.stopping.wait(REST)

    def _take_one(self):
        """False when there is none; one bad job must not stop those behind it."""
        job = self.jobs.oldest(*self.statuses)
        if job is None:
            return False
        try:
            self.work(job)
            return True
        except Exception as error:
            code = "disk_full" if is_full(error) else "server_error"
            self.jobs.fail(job, code, f"The server could not go on: {error}")
            raise

    def stop(self):
        self.stopping.set()
