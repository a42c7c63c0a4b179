"""Jobs, their events, metrics and models through the API."""

import pytest

from finetuning.models import Job
from providers.models import Model
from tests import factories
from tests.doors import api


def start(person, version, model, **body):
    return api(person).post(f"/api/versions/{version.pk}/jobs/", {"model": model.pk, **body}, format="json")


def test_a_job_is_started_followed_and_ends_as_a_model(version, model, budget, editor, there, sweep):
    answer = start(editor, version, model, n_epochs="2", suffix="keeper")
    assert answer.status_code == 201
    row = answer.json()
    assert (row["state"], row["base_model"], row["suffix"], row["billed"]) == (
        "intended",
        "tiny",
        "keeper",
        None,
    )
    assert row["hyperparameters"] == {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": "auto"}
    assert float(row["estimate"]) == pytest.approx(version.training_tokens * 2 * 3e-6)
    sweep()
    (remote,) = there.jobs.values()
    there.add_event(remote["id"], type="metrics", message="Step 1", step=1, train_loss=2.5)
    there.add_checkpoint(remote["id"], 1)
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1", trained_tokens=1000)
    sweep()
    client, address = api(editor), f"/api/jobs/{row['id']}"
    told = client.get(f"{address}/").json()
    assert (told["state"], told["trained_tokens"], told["billed"]) == ("succeeded", 1000, "0.003000")
    assert client.get(f"{address}/metrics/").json()["results"] == [
        {"step": 1, "name": "train_loss", "value": 2.5}
    ]
    assert client.get(f"{address}/events/").json()["results"][0]["message"] == "Step 1"
    assert client.get(f"{address}/checkpoints/").json()[0]["step"] == 1
    (tuned,) = client.get(f"/api/courses/{version.dataset.course_id}/models/").json()["results"]
    assert client.get(f"/api/models/{tuned['id']}/").json() == tuned
    assert (tuned["name"], tuned["job"]) == ("ft:tiny:1", row["id"])
    assert client.get(f"/api/courses/{version.dataset.course_id}/jobs/").json()["results"] == [told]


def test_the_same_request_twice_is_one_job(version, model, budget, editor):
    assert start(editor, version, model).json()["id"] == start(editor, version, model).json()["id"]


REQUESTS = [
    # method, address, who may; students see nothing below the course
    ("get", "/api/courses/{course}/jobs/", "oer"),
    ("post", "/api/versions/{version}/jobs/", "oe"),
    ("get", "/api/jobs/{job}/", "oer"),
    ("get", "/api/jobs/{job}/events/", "oer"),
    ("get", "/api/jobs/{job}/metrics/", "oer"),
    ("get", "/api/jobs/{job}/checkpoints/", "oer"),
    ("post", "/api/jobs/{job}/cancel/", "oe"),
    ("get", "/api/courses/{course}/models/", "oer"),
    ("get", "/api/models/{tuned}/", "oer"),
]


def test_who_may_what(version, owner, editor, reviewer, student, stranger, inactive):
    tuned = factories.make_tuned_model(version=version)
    keys = {
        "course": version.dataset.course_id, "version": version.pk, "tuned": tuned.pk,
        "job": factories.make_job(version=version, seed=7).pk,
    }  # fmt: skip
    doors = {
        letter: api(person) for letter, person in zip("sreo", (student, reviewer, editor, owner), strict=True)
    }
    outside, gone, nobody = api(stranger), api(inactive), api()
    for method, address, may in REQUESTS:
        address = address.format(**keys)
        assert (
            getattr(nobody, method)(address).status_code == getattr(gone, method)(address).status_code == 401
        )
        assert getattr(outside, method)(address).status_code == 404, address
        told = {letter: getattr(door, method)(address).status_code for letter, door in doors.items()}
        assert told["s"] == (403 if "courses" in address else 404), address
        assert {letter for letter in "reo" if told[letter] == 403} == set("reo") - set(may), (method, address)
        assert all(told[letter] in (200, 201, 400, 409) for letter in may), (method, address, told)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"model": 0}, {"model": "tiny"}, {"model": 10**30}, {"model": None}, {"n_epochs": 0}, {"n_epochs": "lots"},
        {"batch_size": "-1"}, {"learning_rate_multiplier": "NaN"}, {"learning_rate_multiplier": "1e999"}, {"seed": -1},
        {"seed": 2**31}, {"suffix": "a b"}, {"suffix": "курс"}, {"suffix": "x" * 41}, {"suffix": "a\r\nX-Evil: 1"},
    ],
    ids=lambda body: ascii(body)[:50],
)  # fmt: skip
def test_a_bad_request_is_400_and_nothing_is_held(version, model, budget, editor, body):
    body = {"model": model.pk, **body} if body else body
    answer = api(editor).post(f"/api/versions/{version.pk}/jobs/", body, format="json")
    assert answer.status_code == 400
    assert not Job.objects.exists()
    budget.refresh_from_db()
    assert budget.held == 0


def test_without_the_money_it_is_400_and_says_so(version, model, editor):
    answer = start(editor, version, model)
    assert answer.status_code == 400
    assert "over what this course may still spend" in answer.json()["detail"]


def test_a_model_that_is_closed_is_not_there(version, editor):
    closed = factories.make_model(train="0", train_until="2020-01-01")
    off = factories.make_model(train="0", provider=factories.make_provider(is_active=False))
    assert {start(editor, version, each).status_code for each in (closed, off)} == {400}


def test_what_a_caller_may_not_set_is_ignored(version, editor, stranger):
    model = Model.objects.trainable().get()
    body = {
        "state": "succeeded", "remote_id": "ftjob-stolen", "by": stranger.pk, "trained_tokens": 7, "estimate": "-5",
        "ledger": 1, "op": "0" * 32, "version": 7, "base_url": "https://evil.example", "api_key": "x", "metadata": {},
        "model": model.pk,
    }  # fmt: skip
    answer = api(editor).post(f"/api/versions/{version.pk}/jobs/", body, format="json")
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.state, job.remote_id, job.by, job.trained_tokens, job.version) == (
        "intended",
        "",
        editor,
        None,
        version,
    )
    assert job.ledger.estimate == 0 and job.op.int != 0


def test_a_job_that_has_ended_is_not_cancelled_but_409(version, editor):
    job = factories.make_tuned_model(version=version).job
    answer = api(editor).post(f"/api/jobs/{job.pk}/cancel/")
    assert answer.status_code == 409
    assert "succeeded" in answer.json()["detail"]


@pytest.mark.parametrize("what", ["events", "metrics"])
def test_long_lists_come_by_the_page(running, there, sweep, editor, what, django_assert_max_num_queries):
    job, _remote = running
    for step in range(60):
        there.add_event(job.remote_id, type="metrics", message=f"Step {step}", step=step, train_loss=1.0)
    sweep()
    client = api(editor)
    with django_assert_max_num_queries(6):
        page = client.get(f"/api/jobs/{job.pk}/{what}/").json()
    assert (page["count"], len(page["results"])) == (60, 50)


def test_queries_do_not_grow_with_the_jobs(version, editor, django_assert_max_num_queries):
    for seed in range(8):
        factories.make_job(version=version, seed=seed)
    client = api(editor)
    with django_assert_max_num_queries(6):
        assert client.get(f"/api/courses/{version.dataset.course_id}/jobs/").json()["count"] == 8
