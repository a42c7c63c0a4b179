"""Killed at any point, under any fault, a job is at the provider once, and every job there has one row.

The long form dies at each point of each fault, and 200 times at random: KILLS=200 python -m pytest tests/finetuning/test_failpoints.py
"""

import os
import time

import pytest

from finetuning import sending
from finetuning.following import adopt
from finetuning.models import Job
from finetuning.states import INTENDED
from providers import client
from tests import factories
from tests.finetuning.failpoints import Brisk, drain, faults_in, in_child, randomly, rounds
from tests.providers.imitations.faults import FAULTS

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "POST /fine_tuning/jobs"
KILLS = int(os.environ.get("KILLS", 10))
LONG = KILLS >= 200
MODES = {
    "no fault": {},
    "accept then drop": FAULTS["accept then drop"],
    "accept then 500": FAULTS["accept then 500"],
    "drop": FAULTS["drop"],
    "429": {"status": 429},
    "accept then half of the JSON": FAULTS["accept then half of the JSON"],
}


@pytest.fixture
def there():
    with Brisk() as there:
        yield there


@pytest.fixture
def make_job(there, settings):
    settings.CONFIRM_AFTER_SECONDS = 0
    dataset = factories.make_dataset()
    version = factories.make_version(dataset=dataset, examples=16, validation=0.2)
    model = factories.make_model(provider=factories.make_provider(base_url=there.base_url), train="3.00")
    factories.make_budget(course=dataset.course)
    seeds = iter(range(10**6))
    return lambda: factories.make_job(version=version, model=model, seed=next(seeds))


def at_every_point(make_job, there, mode, work=rounds, after=drain, step=1):
    """(how many points there are, what was wrong after a death at one of them)."""
    point, killed = 1 - step, True
    while killed:
        point += step
        job = make_job()
        if mode:
            there.when(JOBS, **mode)
        killed = in_child(work, at=point)
        there.orders.clear()
        after()
        if wrong := faults_in(there, [job]):
            return point, wrong
    return point, []


@pytest.mark.parametrize("mode", MODES)
def test_whatever_point_it_dies_at_each_row_has_one_job_and_each_job_one_row(make_job, there, mode):
    points, wrong = at_every_point(
        make_job, there, MODES[mode], step=5 if mode != "no fault" and not LONG else 1
    )
    assert not wrong
    assert points >= 25


def test_lists_that_lag_behind_are_waited_for(make_job, there, settings):
    settings.CONFIRM_AFTER_SECONDS, there.list_lag = 0.3, 0.15
    jobs = []
    for point in range(4, 12):
        jobs.append(make_job())
        in_child(rounds, at=point)
        drain(pause=0.05)
    assert faults_in(there, jobs) == []


def naive():
    """What everybody writes first: ask, then write down what came of it."""
    for job in Job.objects.filter(state=INTENDED):
        remote = client.create_job(job.provider, **sending.body(job, sending._upload(job)))
        job._move("sending")
        adopt(job, remote)


def test_the_naive_way_does_not_pass_this(make_job, there):
    def again():
        naive()
        drain()

    _points, wrong = at_every_point(make_job, there, {}, work=naive, after=again)
    assert any("there: " in text for text in wrong)


def test_killed_at_random_moments_nothing_is_lost_or_bought_twice(make_job, there):
    begun = time.monotonic()
    jobs = [make_job()]
    in_child(rounds)
    longest = time.monotonic() - begun
    jobs += randomly(KILLS, make_job, there, longest)
    assert faults_in(there, jobs) == []
