"""`manage.py jobs`: the list, and one job followed to its end, cancelled or retried."""

import os
import signal
import sys
import threading
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from finetuning.models import Job, Metric
from finetuning.terminal import curve
from tests import factories


def jobs(*words):
    out = StringIO()
    call_command("jobs", *map(str, words), stdout=out)
    return out.getvalue()


def listed(*words):
    return [int(line.split()[0]) for line in jobs(*words).splitlines()[1:]]


def followed(job, *words):
    """(exit status, what was told)."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("jobs", "follow", str(job.pk), "--every", "0.1", *words, stdout=out, stderr=err)
    return end.value.code, out.getvalue() + err.getvalue()


def test_the_list_says_what_each_job_is_and_takes_filters(version, model, budget, owner):
    done = factories.make_tuned_model(version=version).job
    waiting = factories.make_job(version=version, model=model)
    elsewhere = factories.make_dataset(course=factories.make_course(owner=owner, title="[Bells]"))
    other = factories.make_job(version=factories.make_version(dataset=elsewhere, examples=12))
    assert listed() == [other.pk, waiting.pk, done.pk]
    assert listed("--live") == [other.pk, waiting.pk]
    assert listed("--state", "succeeded") == [done.pk]
    assert listed("--course", version.dataset.course_id, "--live") == [waiting.pk]
    told = jobs()
    assert (
        "[Bells]" in told
        and "tiny (" in told
        and "100%" in told
        and "est." in told
        and "The lighthouse" in told
    )


def test_a_job_that_was_set_aside_is_listed_so(version):
    job = factories.make_job(version=version)
    Job.objects.filter(pk=job.pk).update(next_poll_at=None)
    assert "set aside" in jobs()


@pytest.mark.parametrize("words", [("--course", 99), ("follow", 99), ("cancel", 99), ("retry", 99), ("--state", "lost"), ("follow", "x")])  # fmt: skip
def test_what_is_not_there_is_an_error_that_says_so(db, words):
    with pytest.raises(CommandError):
        jobs(*words)


@pytest.mark.django_db(transaction=True)
def test_a_job_is_followed_line_by_line_until_it_has_succeeded(running, there, sweep):
    job, _remote = running
    seen = threading.Event()

    def provider_and_sweep():
        try:
            there.run(job.remote_id)
            sweep()
            seen.wait(0.5)
            there.finish(job.remote_id)
            sweep()
        finally:
            connection.close()

    beside = threading.Thread(target=provider_and_sweep)
    beside.start()
    status, told = followed(job)
    beside.join()
    lines = told.splitlines()
    assert status == 0
    assert lines[-1].startswith(f"job {job.pk}  succeeded  100%  step 12  train_loss 0.7217")
    assert len(lines) == len(set(lines)), "a line only where something has changed"


def test_the_exit_status_tells_how_it_ended(running, sweep, version):
    job, remote = running
    remote.update(status="failed", error={"code": "bad_file", "message": "Line 3 is no JSON."})
    sweep(job)
    status, told = followed(job)
    assert status == 1 and "failed" in told and "Line 3 is no JSON." in told
    again = job.retry()
    again.cancel()
    assert followed(again)[0] == 2


def test_cancel_and_retry(version):
    job = factories.make_job(version=version)
    assert jobs("cancel", job.pk) == f"job {job.pk}: cancelled\n"
    with pytest.raises(CommandError, match="cancelled"):
        jobs("cancel", job.pk)
    assert jobs("retry", job.pk) == f"job {job.pk + 1}: intended\n"
    assert Job.objects.get(pk=job.pk + 1).retry_of == job
    with pytest.raises(CommandError, match="failed or was cancelled"):
        jobs("retry", job.pk + 1)


def test_of_a_job_that_was_sent_the_provider_is_asked(running, sweep):
    job, remote = running
    assert "is being asked" in jobs("cancel", job.pk)
    sweep(job)
    assert (job.state, remote["status"]) == ("cancelled", "cancelled")


@pytest.fixture
def interruptible():
    """Whoever starts the tests in the background makes them deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_leaves_the_job_alone(running, interruptible):
    job, _remote = running
    out, err = StringIO(), StringIO()

    def press():
        while "running" not in out.getvalue():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(SystemExit) as end:
        call_command("jobs", "follow", str(job.pk), "--every", "0.1", stdout=out, stderr=err)
    presser.join()
    job.refresh_from_db()
    assert end.value.code == 130 and "The job goes on" in err.getvalue()
    assert (job.state, job.cancel_wanted) == ("running", False)


def test_the_curve_falls_as_the_loss_does():
    points = {"train_loss": [(step, 4 - step / 10) for step in range(1, 41)], "full_valid_loss": [(40, 1.0)]}
    lines = curve(points).splitlines()
    first = next(row for row, line in enumerate(lines) if "·" in line)
    assert lines[first].index("·") < lines[-3].rindex("·") or "#" in lines[5]
    assert "3.900" in lines[0] and "0.000" in lines[-3] and "step 40" in lines[-1]
    assert max(map(len, lines)) < 80
    assert curve({}) == "" and curve({"train_loss": [(0, 2.0)]})


def test_on_a_terminal_the_curve_is_redrawn(version):
    """The command as a process of its own that stands at a pseudo-terminal."""
    pty = pytest.importorskip("pty")
    job = factories.make_tuned_model(version=version).job
    Metric.objects.bulk_create(
        Metric(job=job, step=step, name="train_loss", value=3 / step) for step in range(1, 9)
    )
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal, pytest.raises(SystemExit) as end:
        call_command("jobs", "follow", str(job.pk), stdout=terminal)
    told = os.read(master, 100_000).decode()
    os.close(master)
    assert end.value.code == 0
    assert "+-----" in told and "step 8" in told and "·" in told and sys.stdout is not None
