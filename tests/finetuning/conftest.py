"""A job at the provider that stands on this machine, and the sweep that takes it on."""

import pytest
from django.utils import timezone

from finetuning import polling
from finetuning.models import Job
from tests import factories


@pytest.fixture
def model(provider):
    return factories.make_model(provider=provider, train="3.00")


@pytest.fixture
def budget(course):
    return factories.make_budget(course=course, limit="10")


@pytest.fixture
def job(version, model, budget, editor):
    return factories.make_job(version=version, model=model, by=editor)


@pytest.fixture
def sweep(settings):
    """Every live job takes its next step now; doubts are looked into at once."""
    settings.CONFIRM_AFTER_SECONDS = 0

    def sweep(*jobs, times=1):
        for _turn in range(times):
            Job.objects.live().update(next_poll_at=timezone.now())
            polling.sweep()
        for job in jobs:
            job.refresh_from_db()

    return sweep


@pytest.fixture
def running(job, there, sweep):
    """The same job, sent and running; and as it stands at the provider."""
    sweep(job)
    there.jobs[job.remote_id]["status"] = "running"
    sweep(job)
    return job, there.jobs[job.remote_id]
