"""The pages of training: choosing a model, watching a job, cancelling it."""

import pytest

from finetuning.models import Job
from tests import factories
from tests.doors import api, pages


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


@pytest.fixture
def set_aside(version):
    job = factories.make_job(version=version)
    Job.objects.filter(pk=job.pk).update(next_poll_at=None, attempts=20, problem="An error on our side.")
    return job


def test_a_job_that_was_set_aside_says_so_and_is_taken_up_again(set_aside, version, editor, reviewer):
    jobs = f"/courses/{version.dataset.course_id}/jobs/"
    assert "set aside" in shown(editor, jobs)
    assert "Take up again" not in shown(reviewer, f"/jobs/{set_aside.pk}/")
    page = shown(editor, f"/jobs/{set_aside.pk}/")
    assert "Set aside" in page and "Take up again" in page and "goes on by itself" not in page
    page = pages(editor).post(f"/jobs/{set_aside.pk}/take-up/", follow=True).content.decode()
    assert "taken up again" in page and "Set aside" not in page
    assert "set aside" not in shown(editor, jobs)
    set_aside.refresh_from_db()
    assert set_aside.next_poll_at and (set_aside.attempts, set_aside.problem) == (0, "")
    assert pages(editor).post(f"/jobs/{set_aside.pk}/take-up/").status_code == 400


def test_the_api_takes_it_up_as_well(set_aside, editor, reviewer):
    assert api(editor).get(f"/api/jobs/{set_aside.pk}/").json()["set_aside"] is True
    assert api(reviewer).post(f"/api/jobs/{set_aside.pk}/take-up/").status_code == 403
    answer = api(editor).post(f"/api/jobs/{set_aside.pk}/take-up/")
    assert (answer.status_code, answer.json()["set_aside"]) == (200, False)


def test_staff_take_it_up_in_the_admin(set_aside):
    superuser = factories.make_user(is_staff=True, is_superuser=True)
    answer = pages(superuser).post(
        "/admin/finetuning/job/", {"action": "take_up", "_selected_action": [set_aside.pk]}, follow=True
    )
    assert answer.status_code == 200
    set_aside.refresh_from_db()
    assert set_aside.next_poll_at


def test_a_training_is_paused_and_goes_on_where_the_provider_can(running, sweep, editor):
    job, remote = running
    address = f"/jobs/{job.pk}"
    assert "/pause/" not in shown(editor, f"{address}/")
    assert pages(editor).post(f"{address}/pause/").status_code == 400
    job.provider.capabilities = {"pause": True}
    job.provider.save()
    assert f"{address}/pause/" in shown(editor, f"{address}/")
    assert pages(editor).post(f"{address}/pause/").status_code == 302
    sweep(job)
    assert (job.state, remote["status"]) == ("paused", "paused")
    assert f"{address}/resume/" in shown(editor, f"{address}/")
    assert pages(editor).post(f"{address}/resume/").status_code == 302
    sweep(job)
    assert remote["status"] == "queued"


def test_the_page_of_a_job_has_its_files_costs_and_timeline(running, there, sweep, version, editor):
    job, remote = running
    there.finish(job.remote_id)
    sweep(job)
    page = shown(editor, f"/jobs/{job.pk}/")
    for split in ("train", "validation"):
        sha256 = version.files[split]["sha256"]
        assert f"{split}-{sha256[:24]}.jsonl" in page and sha256 in page
        assert f"/versions/{version.pk}/files/{split}/" in page
    assert remote["training_file"] in page and remote["result_files"][0] in page
    assert 'class="chart spans"' in page and "Estimated" in page and "Billed" in page and "1,234" in page
