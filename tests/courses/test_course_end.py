"""The settings of a course, the rule of two persons, and the end of a course."""

import pytest
from django.apps import apps

from accounts.models import AuditEntry, User
from courses.models import Course
from tests import factories
from tests.accounts.belongings import a_row_of_each_model
from tests.doors import api, pages


def test_an_editor_changes_the_cover_and_the_trail_says_what(course, editor):
    fields = {"title": "Light", "description": "Of oil.", "language": "ru"}
    pages(editor).post(f"/courses/{course.pk}/settings/", fields)
    course.refresh_from_db()
    assert (course.title, course.description, course.language) == ("Light", "Of oil.", "ru")
    entry = AuditEntry.objects.get(action="course.change")
    assert entry.before == {"title": "The lighthouse", "description": "", "language": "en"}
    assert entry.after == fields and (entry.actor, entry.role) == (editor, "editor")


def test_saving_the_same_writes_nothing(course, owner):
    api(owner).patch(f"/api/courses/{course.pk}/", {"title": course.title}, format="json")
    assert not AuditEntry.objects.filter(action="course.change").exists()


@pytest.mark.parametrize(
    "fields", [{"title": ""}, {"title": "x" * 201}, {"language": "tlh"}, {"title": "a\x00b"}]
)
def test_a_bad_setting_is_told(course, owner, fields):
    fields = {"title": "Light", "language": "en", **fields}
    assert "errorlist" in pages(owner).post(f"/courses/{course.pk}/settings/", fields).content.decode()
    assert api(owner).patch(f"/api/courses/{course.pk}/", fields, format="json").status_code == 400
    assert Course.objects.get(pk=course.pk).title == "The lighthouse"


def test_an_owner_puts_the_two_person_rule_in_force_and_only_staff_lifts_it(course, owner, staff):
    pages(owner).post(f"/courses/{course.pk}/two-person/", {"wanted": "on"})
    assert Course.objects.get(pk=course.pk).two_person
    assert pages(owner).post(f"/courses/{course.pk}/two-person/", {"wanted": "off"}).status_code == 400
    address = f"/api/courses/{course.pk}/two-person/"
    assert api(owner).put(address, {"two_person": False}, format="json").status_code == 400
    assert Course.objects.get(pk=course.pk).two_person
    assert api(staff).put(address, {"two_person": False}, format="json").json() == {"two_person": False}
    assert AuditEntry.objects.filter(action="course.two_person").count() == 2


def test_the_rule_is_not_lifted_by_another_door(course, owner):
    course.set_two_person(True, by=owner)
    api(owner).patch(f"/api/courses/{course.pk}/", {"two_person": False, "title": "x"}, format="json")
    pages(owner).post(f"/courses/{course.pk}/settings/", {"title": "y", "language": "en", "two_person": ""})
    assert Course.objects.get(pk=course.pk).two_person


@pytest.fixture
def whole(dataset, version, owner, student):
    a_row_of_each_model(dataset, version, owner, student)
    return dataset.course


def test_a_course_goes_with_all_that_is_in_it_and_the_trail_stays(whole, owner, stranger):
    pk, others = whole.pk, list(stranger.memberships.values_list("course", flat=True))
    pages(owner).post(f"/courses/{pk}/remove/", {"title": whole.title})
    assert list(Course.objects.values_list("pk", flat=True)) == others
    for model in apps.get_models():
        if getattr(model, "COURSE", "") and not model._meta.proxy:
            assert not model.objects.exclude(**{f"{model.COURSE}__in": others}).exists(), model
    assert AuditEntry.objects.filter(course_id=pk, action="course.remove").exists()
    assert not User.objects.filter(is_service=True, is_active=True).exists()
    assert User.objects.filter(pk=owner.pk, is_active=True).exists()


def test_a_wrong_title_deletes_nothing(course, owner):
    page = pages(owner).post(f"/courses/{course.pk}/remove/", {"title": "the lighthouse"}, follow=True)
    assert "nothing was deleted" in page.content.decode()
    assert Course.objects.filter(pk=course.pk).exists()


def test_the_api_deletes_a_course(whole, owner, editor):
    assert api(editor).delete(f"/api/courses/{whole.pk}/").status_code == 403
    assert api(owner).delete(f"/api/courses/{whole.pk}/").status_code == 204
    assert api(owner).get(f"/api/courses/{whole.pk}/").status_code == 404


def test_a_key_that_was_a_courses_is_not_given_again(course, owner):
    """Else an old entry of the trail would speak of a course that it never meant."""
    pk = course.pk
    course.remove(by=owner)
    assert factories.make_course(owner=owner).pk > pk
