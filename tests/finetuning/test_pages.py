"""The pages of training: choosing a model, watching a job, cancelling it."""

import pytest

from finetuning.models import Job
from tests import factories
from tests.doors import pages


def shown(person, address, **headers):
    answer = pages(person).get(address, **headers)
    assert answer.status_code == 200, address
    return answer.content.decode()


PAGES = [
    ("get", "/courses/{course}/jobs/", "oer"),
    ("get", "/versions/{version}/train/", "oe"),
    ("get", "/jobs/{job}/", "oer"),
    ("post", "/jobs/{job}/cancel/", "oe"),
]


@pytest.mark.parametrize(("method", "address", "may"), PAGES)
def test_who_may_what(version, owner, editor, reviewer, student, stranger, method, address, may):
    job = factories.make_job(version=version)
    address = address.format(course=version.dataset.course_id, version=version.pk, job=job.pk)
    people = {"s": student, "r": reviewer, "e": editor, "o": owner}
    told = {letter: getattr(pages(person), method)(address).status_code for letter, person in people.items()}
    assert told["s"] == (403 if "courses" in address else 404)
    assert {letter for letter in "reo" if told[letter] == 403} == set("reo") - set(may)
    assert all(told[letter] in (200, 302, 409) for letter in may)
    assert getattr(pages(stranger), method)(address).status_code == 404
    assert getattr(pages(), method)(address)["Location"] == f"/sign-in/?next={address}"


FIELDS = {
    "n_epochs": "auto",
    "batch_size": "auto",
    "learning_rate_multiplier": "auto",
    "seed": "42",
    "suffix": "",
}


def test_training_is_started_and_leads_to_the_job(version, model, budget, editor):
    page = shown(editor, f"/versions/{version.pk}/train/")
    assert "tiny" in page and "smollm2-135m-instruct" in page and "free" in page
    answer = pages(editor).post(f"/versions/{version.pk}/train/", {**FIELDS, "model": model.pk})
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert job.by == editor
    page = shown(editor, answer["Location"])
    assert "waiting to start" in page and "Estimated" in page and "hx-get" in page


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"model": "999"},
        {"n_epochs": "0"},
        {"seed": "x"},
        {"suffix": "a b"},
        {"suffix": "x" * 41},
    ],
)
def test_a_bad_request_is_shown_again(version, model, budget, editor, change):
    answer = pages(editor).post(f"/versions/{version.pk}/train/", {**FIELDS, "model": model.pk, **change})
    assert answer.status_code == 200
    assert 'class="errorlist' in answer.content.decode()
    assert not Job.objects.exists()


def test_without_the_money_the_page_says_so(version, model, editor):
    answer = pages(editor).post(f"/versions/{version.pk}/train/", {**FIELDS, "model": model.pk})
    assert answer.status_code == 400
    assert "over what this course may still spend" in answer.content.decode()


def test_the_live_part_is_asked_for_until_the_job_has_ended(running, there, sweep, editor):
    job, remote = running
    there.add_event(job.remote_id, type="metrics", message="Step 1", step=1, total_steps=4, train_loss=2.5)
    sweep()
    part = pages(editor).get(f"/jobs/{job.pk}/", HTTP_HX_REQUEST="true")
    assert part.status_code == 200
    text = part.content.decode()
    assert "<html" not in text and "training" in text and "<svg" in text and "2.5" in text
    remote.update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep()
    last = pages(editor).get(f"/jobs/{job.pk}/", HTTP_HX_REQUEST="true")
    assert last.status_code == 286
    assert "succeeded" in last.content.decode()
    assert "hx-trigger" not in shown(editor, f"/jobs/{job.pk}/")


def test_a_failed_job_shows_the_providers_words_as_words_only(running, sweep, editor):
    job, remote = running
    remote.update(status="failed", error={"code": "bad_file", "message": "<script>alert(1)</script>"})
    sweep()
    page = shown(editor, f"/jobs/{job.pk}/")
    assert "bad_file" in page and "&lt;script&gt;" in page and "<script>alert" not in page


def test_a_job_is_cancelled_and_cannot_be_cancelled_twice(version, editor):
    job = factories.make_job(version=version)
    page = pages(editor).post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert "cancelled" in page
    assert pages(editor).post(f"/jobs/{job.pk}/cancel/").status_code == 409
    assert pages(editor).get(f"/jobs/{job.pk}/cancel/").status_code == 405


def test_a_reviewer_sees_no_button_that_is_not_theirs(version, reviewer, editor):
    job = factories.make_job(version=version)
    assert "/cancel/" in shown(editor, f"/jobs/{job.pk}/")
    assert "/cancel/" not in shown(reviewer, f"/jobs/{job.pk}/")


def test_queries_do_not_grow_with_the_jobs(version, editor, django_assert_max_num_queries):
    for seed in range(8):
        factories.make_job(version=version, seed=seed)
    browser = pages(editor)
    with django_assert_max_num_queries(12):
        browser.get(f"/courses/{version.dataset.course_id}/jobs/")


@pytest.mark.parametrize("address", ["/courses/{course}/jobs/", "/jobs/{job}/"])
def test_a_page_that_only_shows_takes_no_post(version, owner, address):
    job = factories.make_job(version=version)
    address = address.format(course=version.dataset.course_id, job=job.pk)
    assert pages(owner).post(address).status_code == 405
    assert pages(owner).head(address).status_code == 200
