"""kill -9 of the worker, of the engine's trainer and of the broker while a job runs: it ends rightly, once."""

import os

from tests.journey.api import base_model, small_version
from tests.journey.conftest import ended


def begun(api, job):
    return api.get(f"/jobs/{job}/metrics/?page_size=500")["count"] > 20 or ended(api, f"/jobs/{job}/")


def test_a_job_outlives_the_death_of_worker_trainer_and_broker(api, site):
    body = {"model": base_model(api), "n_epochs": "50", "batch_size": "1", "suffix": "killed"}
    job = api.post(f"/versions/{small_version(api)}/jobs/", body)["id"]
    site.wait_for(lambda: begun(api, job), 90)
    assert site.kill("celery", "worker") > 0
    assert site.kill("engine.trainer") > 0
    if not os.environ.get("REDIS_URL"):
        assert site.kill("valkey-server") > 0
    row = site.wait_for(lambda: ended(api, f"/jobs/{job}/"), 240)
    assert row["state"] == "succeeded", row
    remote = [each for each in site.engine.fine_tuning.jobs.list() if each.user_provided_suffix == "killed"]
    assert [each.id for each in remote] == [row["remote_id"]]
    assert row["trained_tokens"] == remote[0].trained_tokens
    steps = [
        each["step"]
        for each in pages(api, f"/jobs/{job}/metrics/?page_size=500")
        if each["name"] == "train_loss"
    ]
    assert sorted(steps) == list(range(1, max(steps) + 1))


def test_a_job_that_is_cancelled_stays_cancelled(api, site):
    body = {"model": base_model(api), "n_epochs": "50", "batch_size": "1", "suffix": "cancelled"}
    job = api.post(f"/versions/{small_version(api, count=80)}/jobs/", body)["id"]
    site.wait_for(lambda: begun(api, job), 90)
    api.post(f"/jobs/{job}/cancel/")
    assert site.wait_for(lambda: ended(api, f"/jobs/{job}/"), 60)["state"] == "cancelled"
    remote = next(
        each for each in site.engine.fine_tuning.jobs.list() if each.user_provided_suffix == "cancelled"
    )
    assert remote.status == "cancelled"


def pages(api, path):
    found = []
    while path:
        page = api.get(path)
        found += page["results"]
        path = page["next"] and "/" + page["next"].split("/api/")[1]
    return found
