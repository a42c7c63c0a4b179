"""A sweep in a process of its own that dies at a numbered point: before a write, or on either side of a call."""

import os
import random
import signal
import time
import traceback

from django.db import connection, connections
from django.db.models import Sum
from django.utils import timezone

from finetuning import polling
from finetuning.models import Job
from providers import connecting
from providers.models import Budget, LedgerEntry
from tests.providers.imitation import Imitation

KILLED, DONE, BROKEN = 9, 0, 1
ROUNDS = 6  # from the intention to the end, with room for a doubt and a second sending
PATIENCE = 20  # seconds
WRITES = ("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "BEGIN")


class Brisk(Imitation):
    """A job has ended when it is looked at for the second time."""

    def __init__(self):
        super().__init__()
        self._looks = {}

    def shown(self, job):
        looks = self._looks[job["id"]] = self._looks.get(job["id"], 0) + 1
        return self.finish(job["id"]) if looks == 2 else job


class Points:
    """Counts the places at which a process may die, and dies at the one with number `at`."""

    def __init__(self, at):
        self.at, self.met = at, 0

    def here(self):
        self.met += 1
        if self.met == self.at:
            os._exit(KILLED)

    def sql(self, execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(WRITES):
            self.here()
        return execute(sql, params, many, context)

    def install(self):
        connection.execute_wrappers.append(self.sql)
        send = connecting.Transport.handle_request

        def between(transport, request):
            self.here()
            answer = send(transport, request)
            answer.read()
            self.here()
            return answer

        connecting.Transport.handle_request = between


def in_child(work, at=0, kill_after=None) -> bool:
    """Run `work()` in a fork; whether it was killed, at point `at` or after so many seconds."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            Points(at).install()
            work()
            os._exit(DONE)
        except BaseException:
            traceback.print_exc()
            os._exit(BROKEN)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) != BROKEN
    return os.WEXITSTATUS(status) == KILLED


def rounds():
    """As many sweeps as a job needs, each as if the time to it had passed."""
    for _turn in range(ROUNDS):
        due()
        polling.sweep()


def due():
    Job.objects.live().update(next_poll_at=timezone.now(), lease_until=None)


def drain(pause=0):
    """What a restart does: sweep until nothing is live."""
    ends = time.monotonic() + PATIENCE
    while Job.objects.live().exists() and time.monotonic() < ends:
        due()
        polling.sweep()
        time.sleep(pause)


def faults_in(there, jobs) -> list[str]:
    """What is wrong with the books: each of the jobs, and the sums over all that there are."""
    wrong = [found for job in jobs for found in _faults_of(there, job)]
    known = Job.objects.exclude(remote_id="").count()
    alive = sum(row["status"] != "cancelled" for row in there.jobs.values())
    if alive != known:
        wrong.append(f"{alive} jobs there, {known} rows that know theirs")
    names = [file["filename"] for file in there.files.values() if file["purpose"] == "fine-tune"]
    if len(names) != len(set(names)):
        wrong.append("a file was sent twice")
    spent = LedgerEntry.objects.aggregate(sum=Sum("settled"))["sum"] or 0
    held = Budget.objects.get().held
    if round(held, 4) != round(spent, 4):
        wrong.append(f"held {held}, spent {spent}")
    return wrong


def _faults_of(there, job):
    """One job: at the provider once, under the id that its row has; or never, and a person was asked."""
    job.refresh_from_db()
    ours = [row for row in there.jobs.values() if row["metadata"] == {"op": str(job.op)}]
    alive = [row["id"] for row in ours if row["status"] != "cancelled"]
    asked = job.error_code == "unknown_outcome" and not alive
    if not asked and (job.state != "succeeded" or alive != [job.remote_id]):
        yield f"{job.state} as {job.remote_id!r}, there: {alive}"
    if job.tuned_models.count() != (job.state == "succeeded"):
        yield f"job {job.pk} has {job.tuned_models.count()} models"
    if job.ledger.settled is None:
        yield f"job {job.pk} has not been settled"


def randomly(number, make_job, there, longest, seed=1):
    """So many jobs, each killed somewhere by SIGKILL; the jobs, drained."""
    chance, jobs = random.Random(seed), []
    for _turn in range(number):
        jobs.append(make_job())
        in_child(rounds, kill_after=chance.uniform(0, longest))
    drain()
    return jobs
