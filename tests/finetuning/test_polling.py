"""The sweep: due jobs, one worker each, and one bad row never stops the rest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Version
from finetuning import polling, rounds
from finetuning.models import Job
from finetuning.states import FOLLOWED
from finetuning.tasks import sweep as task
from tests import factories


@pytest.fixture
def jobs(version, model, budget):
    return [factories.make_job(version=version, model=model, seed=seed) for seed in range(5)]


def test_a_crashing_job_does_not_stop_the_others(jobs, dataset, model, there, sweep):
    broken = factories.make_job(version=factories.make_version(dataset=dataset, seed=9), model=model)
    Version.objects.filter(pk=broken.version_id).update(statistics={})
    Job.objects.filter(pk=broken.pk).update(next_poll_at=timezone.now() - timedelta(days=1))
    sweep(broken, *jobs)
    assert {job.state for job in jobs} == {"validating"} and len(there.jobs) == 5
    assert (broken.state, broken.attempts, broken.lease_until) == ("intended", 1, None)
    assert "error on our side (KeyError)" in broken.problem
    assert broken.next_poll_at > timezone.now() - timedelta(seconds=1)


def test_a_job_that_crashes_again_and_again_is_set_aside_and_shown(job, sweep):
    Version.objects.filter(pk=job.version_id).update(statistics={})
    for _turn in range(polling.SET_ASIDE_AFTER):
        Job.objects.filter(pk=job.pk).update(next_poll_at=timezone.now())
        polling.sweep()
    job.refresh_from_db()
    assert (job.attempts, job.next_poll_at, job.state) == (polling.SET_ASIDE_AFTER, None, "intended")
    assert job.problem
    job.cancel()
    assert job.state == "cancelled"


def test_pauses_grow_with_each_failure(job, there, sweep):
    there.when("POST /files", times=99, status=500)
    pauses = []
    for _turn in range(8):
        sweep(job)
        pauses.append((job.next_poll_at - timezone.now()).total_seconds())
    assert pauses[0] < 3 < pauses[3] < pauses[7] < 75


def test_a_job_in_another_workers_hands_is_left_alone_until_its_lease_ends(job, there):
    later = timezone.now() + timedelta(seconds=60)
    assert Job.objects.claim(job.pk, timezone.now(), later)
    assert not Job.objects.claim(job.pk, timezone.now(), later)
    assert polling.sweep() == 0 and not there.requests
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert polling.sweep() == 1 and len(there.jobs) == 1


def test_what_is_not_due_or_has_ended_is_not_touched(job, there):
    Job.objects.filter(pk=job.pk).update(next_poll_at=timezone.now() + timedelta(minutes=5))
    assert polling.sweep() == 0
    job.cancel()
    Job.objects.filter(pk=job.pk).update(next_poll_at=timezone.now())
    assert polling.sweep() == 0 and not there.requests


def test_jobs_of_one_provider_are_read_by_the_page(jobs, there, sweep):
    sweep()
    there.requests.clear()
    sweep(*jobs)
    assert [each["call"] for each in there.requests if "events" not in each["call"]] == [
        "GET /fine_tuning/jobs"
    ]


def test_a_provider_that_is_down_does_not_stop_those_of_another(jobs, version, sweep):
    dead = factories.make_provider(base_url="http://127.0.0.1:9/v1")
    down = factories.make_job(version=version, model=factories.make_model(provider=dead, train="0"))
    Job.objects.filter(pk=down.pk).update(state="running", remote_id="ftjob-x")
    sweep(down, *jobs, times=2)
    assert (down.state, down.problem) == ("running", "The provider cannot be reached.")
    assert {job.state for job in jobs} == {"validating"}


def test_a_running_job_is_looked_at_often_at_first_and_less_often_later(running, sweep, settings):
    job, _remote = running
    assert (job.next_poll_at - timezone.now()).total_seconds() < settings.SWEEP_SECONDS * 1.2
    Job.objects.filter(pk=job.pk).update(created=timezone.now() - timedelta(days=1))
    sweep(job)
    assert 50 < (job.next_poll_at - timezone.now()).total_seconds() < 70


@pytest.mark.parametrize("has_moved", [True, False])
def test_what_is_asked_for_while_a_sweep_holds_a_job_is_due_as_soon_as_it_lets_go(running, has_moved):
    job, _remote = running
    for is_asked in (False, True):
        now = timezone.now()
        Job.objects.filter(pk=job.pk).update(next_poll_at=now)
        claimed = rounds.claim(FOLLOWED, 1, now)
        held = Job.objects.get(pk=job.pk)
        if is_asked:
            job.cancel()
        if has_moved:
            polling.advance(held, now)
        else:
            rounds.put_off(claimed.keys(), claimed, now)
        assert Job.objects.due(timezone.now()).exists() is is_asked


def test_a_problem_that_has_passed_is_not_shown_any_more(running, there, sweep):
    job, _remote = running
    there.when("GET /fine_tuning/jobs*", times=6, status=503)
    sweep(job)
    assert job.problem and job.attempts == 1
    sweep(job)
    assert (job.problem, job.attempts) == ("", 0)


def test_the_task_sweeps(job, there):
    task()
    assert len(there.jobs) == 1
