"""Evaluations through the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluation.answering import advance
from evaluation.models import Answer, Evaluation
from finetuning.models import Metric
from tests.doors import api


@pytest.fixture
def evaluation(tuned, owner):
    return Evaluation.objects.start(tuned, by=owner)


def test_the_way_from_a_tuned_model_to_its_verdicts(tuned, learnt, owner, course):
    client = api(owner)
    answer = client.post(f"/api/models/{tuned.pk}/evaluations/", {"most": 2}, format="json")
    assert answer.status_code == 201
    row = answer.json()
    assert (row["state"], row["progress"], row["split"]) == ("running", 0, "test")
    assert client.post(f"/api/models/{tuned.pk}/evaluations/").json()["id"] == row["id"]
    advance(Evaluation.objects.get(pk=row["id"]))
    told = client.get(f"/api/evaluations/{row['id']}/").json()
    assert (told["state"], told["progress"], told["problem"]) == ("done", 1, "")
    for verdict in told["verdicts"]:
        assert verdict["outcome"] == "better" and verdict["examples"] == 2
        assert verdict["difference"] == pytest.approx(verdict["tuned"] - verdict["base"])
    assert {verdict["metric"] for verdict in told["verdicts"]} == {"chrf", "token_f1"}
    answers = client.get(f"/api/evaluations/{row['id']}/answers/").json()["results"]
    assert [each["side"] for each in answers] == ["base", "tuned", "base", "tuned"]
    for each in answers:
        assert (each["text"] == each["reference"]) == (each["side"] == "tuned")
        assert each["question"] and each["tokens"] == 18
    found = client.get(f"/api/courses/{course.pk}/evaluations/").json()["results"]
    assert [each["id"] for each in found] == [row["id"]]


REQUESTS = [
    # method, address, who may; the reviewer is refused the others, students and strangers find nothing
    ("get", "/api/evaluations/{evaluation}/", "oer"),
    ("get", "/api/evaluations/{evaluation}/answers/", "oer"),
    ("post", "/api/models/{tuned}/evaluations/", "oe"),
    ("post", "/api/evaluations/{evaluation}/cancel/", "oe"),
]


@pytest.mark.parametrize(("method", "where", "may"), REQUESTS)
def test_who_may_what(evaluation, tuned, owner, editor, reviewer, student, stranger, method, where, may):
    where = where.format(evaluation=evaluation.pk, tuned=tuned.pk)
    for letter, person in {"r": reviewer, "e": editor, "o": owner}.items():
        Evaluation.objects.update(state="running")
        status = getattr(api(person), method)(where).status_code
        assert status in ((200, 201) if letter in may else (403,)), person
    for person in (student, stranger):
        assert getattr(api(person), method)(where).status_code == 404
    assert getattr(api(), method)(where).status_code == 401


def test_the_list_is_for_those_who_review(evaluation, course, reviewer, student, stranger):
    where = f"/api/courses/{course.pk}/evaluations/"
    assert api(reviewer).get(where).json()["count"] == 1
    assert api(student).get(where).status_code == 403
    assert api(stranger).get(where).status_code == 404


def test_a_wrong_number_of_examples_is_named(tuned, owner):
    for most in (0, -1, 1001, 10**30, "many", None, [], 1.5, True, {"a": 1}):
        answer = api(owner).post(f"/api/models/{tuned.pk}/evaluations/", {"most": most}, format="json")
        assert answer.status_code == 400 and "most" in answer.json(), most
    assert not Evaluation.objects.exists()


def test_what_has_ended_cannot_be_cancelled(evaluation, owner):
    client = api(owner)
    assert client.post(f"/api/evaluations/{evaluation.pk}/cancel/").json()["state"] == "cancelled"
    answer = client.post(f"/api/evaluations/{evaluation.pk}/cancel/")
    assert answer.status_code == 409 and "cancelled" in answer.json()["detail"]


def test_only_answers_that_are_in_are_told(evaluation, there, owner):
    there.when("POST /chat/completions", status=503)
    advance(evaluation)
    told = api(owner).get(f"/api/evaluations/{evaluation.pk}/answers/").json()
    assert told["count"] == Answer.objects.exclude(answered=None).count() < Answer.objects.count()


def test_loss_on_the_validation_set_is_told_before_and_after(evaluation, tuned, owner):
    where = f"/api/evaluations/{evaluation.pk}/"
    nothing = dict.fromkeys(("base_loss", "tuned_loss", "base_accuracy", "tuned_accuracy"))
    assert api(owner).get(where).json()["held_out"] == nothing
    for step, loss in [(0, 2.5), (4, 1.5), (8, 1.25)]:
        Metric.objects.create(job=tuned.job, step=step, name="full_valid_loss", value=loss)
    Metric.objects.create(job=tuned.job, step=8, name="full_valid_mean_token_accuracy", value=0.75)
    wanted = {"base_loss": 2.5, "tuned_loss": 1.25, "base_accuracy": None, "tuned_accuracy": 0.75}
    assert api(owner).get(where).json()["held_out"] == wanted


def test_queries_of_the_list_do_not_grow_with_the_evaluations(evaluation, tuned, owner, course):
    client, counts = api(owner), []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as found:
            client.get(f"/api/courses/{course.pk}/evaluations/")
        counts.append(len(found))
        for _more in range(3):
            advance(Evaluation.objects.start(tuned))
    assert counts[0] == counts[1]
