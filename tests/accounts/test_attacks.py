"""What a body or a query says beyond what is asked: other courses' ids, fields that are not one's to set, orders."""

import pytest

from accounts.models import User
from assistants.models import Assistant
from courses.models import Course, Section
from datasets.models import Dataset, Example
from finetuning.models import Job
from tests import factories
from tests.doors import api

MORE = {
    "id": 1, "pk": 1, "owner": 1, "user": 1, "by": 1, "state": "approved", "two_person": True, "remote_id": "x",
    "cost": "0", "is_staff": True, "is_superuser": True, "tokens": 1, "sha256": "0" * 64, "ledger": 1, "retry_of": 1,
    "personal": [], "origin": "imported", "written_by": 1, "proposed_by": 1, "deployment": 1, "created": "2000-01-01",
}  # fmt: skip


@pytest.fixture
def elsewhere(owner):
    """Another course of another owner, with a data set and a section."""
    course = factories.make_course(owner=factories.make_user(), title="Elsewhere")
    factories.make_text(course=course)
    return factories.make_dataset(course=course, title="Theirs")


def values(row, *names):
    return type(row).objects.filter(pk=row.pk).values(*names).get()


def test_a_course_takes_its_words_and_nothing_else(course, owner):
    before = values(course, "id", "two_person", "created")
    assert (
        api(owner).patch(f"/api/courses/{course.pk}/", {"title": "New", **MORE}, format="json").status_code
        == 200
    )
    assert values(course, "id", "two_person", "created") == before
    assert not User.objects.get(pk=owner.pk).is_staff


def test_a_data_set_stays_on_its_course(dataset, elsewhere, owner):
    body = {"title": "Mine", "course": elsewhere.course_id, **MORE}
    assert api(owner).patch(f"/api/datasets/{dataset.pk}/", body, format="json").status_code == 200
    assert Dataset.objects.get(pk=dataset.pk).course_id == dataset.course_id
    made = api(owner).post(f"/api/courses/{dataset.course_id}/datasets/", body, format="json").json()
    assert made["course"] == dataset.course_id
    assert Dataset.objects.of(elsewhere.course).count() == 1


def test_an_example_is_a_draft_of_its_data_set_whatever_the_body_says(dataset, elsewhere, owner):
    body = {"messages": factories.chat("New?", "Yes."), "dataset": elsewhere.pk, **MORE}
    made = api(owner).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json").json()
    example = Example.objects.get(pk=made["id"])
    assert (example.state, example.origin, example.dataset, example.written_by) == (
        "draft",
        "written",
        dataset,
        owner,
    )
    assert elsewhere.examples.count() == 0


def test_a_section_of_another_course_is_not_found(dataset, elsewhere, owner):
    section = Section.objects.of(elsewhere.course).first()
    body = {"messages": factories.chat("New?", "Yes."), "section": section.pk}
    assert api(owner).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json").status_code == 404


def test_a_section_of_another_course_of_ones_own_is_refused(dataset, owner):
    other = factories.make_course(owner=owner)
    factories.make_text(course=other)
    body = {"messages": factories.chat("New?", "Yes."), "section": Section.objects.of(other).first().pk}
    assert api(owner).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json").status_code == 400


def test_a_job_begins_at_its_beginning(version, owner):
    model = factories.make_model(train="0", answer="0")
    body = {
        "model": model.pk,
        "n_epochs": "1",
        **MORE,
        "state": "succeeded",
        "trained_tokens": 5,
        "version": 0,
    }
    made = api(owner).post(f"/api/versions/{version.pk}/jobs/", body, format="json").json()
    job = Job.objects.get(pk=made["id"])
    assert (job.state, job.remote_id, job.trained_tokens, job.version, job.by) == (
        "intended",
        "",
        None,
        version,
        owner,
    )
    assert job.retry_of is None


def test_an_assistant_begins_as_a_draft_of_its_model(version, owner, elsewhere):
    tuned = factories.make_tuned_model(version=version)
    body = {"title": "New", **MORE, "state": "published", "course": elsewhere.course_id}
    made = api(owner).post(f"/api/models/{tuned.pk}/assistants/", body, format="json").json()
    assistant = Assistant.objects.get(pk=made["id"])
    assert (assistant.state, assistant.course, assistant.proposed_by) == (
        "draft",
        version.dataset.course,
        None,
    )
    assert assistant.deployment.tuned_model == tuned


@pytest.mark.parametrize(
    "query",
    [
        "ordering=memberships__user__password", "order_by=-memberships__user__password", "sort=password",
        "memberships__user__password__startswith=a", "title__regex=.*", "id__in=1,2", "fields=password", "expand=user",
    ],
)  # fmt: skip
def test_an_order_or_a_filter_of_the_callers_own_changes_nothing(course, owner, query):
    for number in range(3):
        factories.make_course(owner=owner, title=f"{3 - number}")
    plain = api(owner).get("/api/courses/").json()
    assert api(owner).get(f"/api/courses/?{query}").json() == plain


@pytest.mark.parametrize("page_size", ["1000000000", "-1", "0", "x", "1e9"])
def test_a_page_is_never_longer_than_it_may_be(course, owner, page_size):
    answer = api(owner).get(f"/api/courses/?page_size={page_size}")
    assert answer.status_code == 200 and len(answer.json()["results"]) <= 500
    assert Course.objects.count() >= 1
