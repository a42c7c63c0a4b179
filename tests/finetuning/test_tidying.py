"""Jobs that hang, files that stay, and jobs at the provider that nobody here knows."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from courses.notices import Kind, Notice
from finetuning import tidying
from finetuning.models import Job
from providers.models import LedgerEntry, Upload

LONG_AGO = timedelta(days=31)


def orphans(*arguments):
    told = StringIO()
    call_command("jobs", "orphans", *arguments, stdout=told)
    return told.getvalue()


def test_of_a_job_whose_files_are_checked_for_two_hours_its_person_is_told_once(job, editor, sweep):
    sweep(job)
    tidying.tidy()
    assert not Notice.objects.exists()
    Job.objects.update(sent_at=timezone.now() - timedelta(hours=2, minutes=1))
    tidying.tidy()
    tidying.tidy()
    told = Notice.objects.get()
    assert (told.kind, told.person) == (Kind.JOB_STUCK, editor)
    assert f"Job {job.pk}" in told.text and "two hours" in told.text


def test_files_are_deleted_there_when_nobody_has_used_them_for_long(job, there, sweep):
    sweep(job)
    Upload.objects.update(sent=timezone.now() - LONG_AGO)
    tidying.forget_files()
    assert len(there.files) == 2  # the job still needs them
    there.finish(job.remote_id)
    sweep(job)
    tidying.forget_files()
    assert [file["purpose"] for file in there.files.values()] == ["fine-tune-results"]
    assert not Upload.objects.exists()


def test_files_stay_where_the_policy_says_so_or_the_provider_is_away(job, there, sweep, settings):
    sweep(job)
    there.finish(job.remote_id)
    sweep(job)
    tidying.forget_files()
    Upload.objects.update(sent=timezone.now() - LONG_AGO)
    settings.REMOTE_FILES_DAYS = 0
    tidying.forget_files()
    settings.REMOTE_FILES_DAYS = 30
    there.when("DELETE /files/*", times=9, status=500)
    tidying.forget_files()
    assert Upload.objects.count() == 2 and len(there.files) == 3


def test_a_file_that_was_deleted_is_sent_anew(job, there, sweep):
    sweep(job)
    there.finish(job.remote_id)
    sweep(job)
    Upload.objects.update(sent=timezone.now() - LONG_AGO)
    tidying.forget_files()
    again = Job.objects.start(job.version, job.model, job.by, seed=1)
    sweep(again)
    assert again.state == "validating"
    assert {"train", "validation"} <= {file["filename"].split("-")[0] for file in there.files.values()}


def test_a_live_job_there_without_a_row_is_found_and_cancelled_by_hand(job, there, sweep):
    sweep(job)
    assert orphans() == ""
    strange = there.add_job(metadata={"op": "1f"}, status="running")["id"]
    there.add_job(metadata={"op": "2f"}, status="succeeded")
    there.add_job(status="running")
    assert orphans() == f"{job.provider}: {strange} has no row here\n"
    with pytest.raises(CommandError, match="is no job without a row"):
        orphans("--cancel", job.remote_id)
    assert "is being cancelled" in orphans("--cancel", strange)
    assert there.jobs[strange]["status"] == "cancelled" and orphans() == ""
    assert there.jobs[job.remote_id]["status"] == "validating_files"


def test_a_job_that_the_provider_has_lost_is_named(job, there, sweep):
    sweep(job)
    there.jobs.clear()
    assert orphans() == f"{job.provider}: does not know {job.remote_id} of job {job.pk}\n"


def test_a_provider_that_cannot_be_asked_is_an_error_in_plain_words(job, there, sweep):
    sweep(job)
    there.when("GET /fine_tuning/jobs", times=9, status=401, error={"message": "Wrong key."})
    with pytest.raises(CommandError, match="Wrong key"):
        orphans()


def test_a_chat_whose_process_died_is_charged_what_was_held(course, model, budget):
    kinds = LedgerEntry.Purpose
    entries = [
        LedgerEntry.objects.reserve(course, kind, model, 10, "0.5") for kind in (kinds.CHAT, kinds.TRAINING)
    ]
    assert LedgerEntry.objects.settle_forgotten() == 0
    LedgerEntry.objects.update(at=timezone.now() - timedelta(hours=2))
    assert (LedgerEntry.objects.settle_forgotten(), LedgerEntry.objects.settle_forgotten()) == (1, 0)
    for entry in entries:
        entry.refresh_from_db()
    budget.refresh_from_db()
    assert [entry.settled for entry in entries] == [pytest.approx(0.5), None]
    assert budget.held == 1
