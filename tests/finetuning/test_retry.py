"""A job that failed or was cancelled is tried again as a new one that knows the old."""

import pytest

from finetuning.models import Job
from tests import factories
from tests.doors import api, pages


@pytest.fixture
def failed(version, owner):
    job = factories.make_job(version=version, by=owner, seed=7, n_epochs=2)
    job.fail("server_error", "It broke.")
    return job


def test_the_page_tries_again_with_the_same_settings(failed, editor):
    assert "Try again" in pages(editor).get(f"/jobs/{failed.pk}/").content.decode()
    where = pages(editor).post(f"/jobs/{failed.pk}/retry/")["Location"]
    again = Job.objects.get(retry_of=failed)
    assert where == f"/jobs/{again.pk}/" and again.by == editor and again.state == "intended"
    assert (again.hyperparameters, again.seed, again.version) == (
        failed.hyperparameters, 7, failed.version,
    )  # fmt: skip
    assert f"/jobs/{failed.pk}/" in pages(editor).get(where).content.decode()


def test_asking_twice_is_one_job(failed, owner):
    client = api(owner)
    one, two = (client.post(f"/api/jobs/{failed.pk}/retry/") for _turn in range(2))
    assert one.status_code == two.status_code == 201 and one.json()["id"] == two.json()["id"]
    assert one.json()["retry_of"] == failed.pk


def test_a_job_that_lives_or_went_well_is_not_tried_again(version, owner):
    job = factories.make_job(version=version, by=owner)
    assert api(owner).post(f"/api/jobs/{job.pk}/retry/").status_code == 400
    tuned = factories.make_tuned_model(job=job)
    assert pages(owner).post(f"/jobs/{tuned.job_id}/retry/").status_code == 400
    assert Job.objects.count() == 1


def test_who_may_not_train_does_not_try_again(failed, reviewer, student):
    assert api(reviewer).post(f"/api/jobs/{failed.pk}/retry/").status_code == 403
    assert api(student).post(f"/api/jobs/{failed.pk}/retry/").status_code == 404
