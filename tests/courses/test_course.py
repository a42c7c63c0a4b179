"""Starting a course and giving people roles on it."""

import pytest
from django.core.exceptions import ValidationError

from accounts.access import rights
from accounts.models import AuditEntry, User
from common.states import Refused
from courses.models import Course, CourseUserPermission
from tests import factories
from tests.common.crowd import at_once


def roles(course):
    return {
        member.user.email.split("@")[0]: member.role for member in course.memberships.select_related("user")
    }


def test_who_starts_a_course_owns_it(owner):
    course = Course.objects.start(by=owner, title="Bells", language="ru")
    assert roles(course) == {"owner": "owner"}
    assert "manage" in rights(owner, course)
    assert [entry.action for entry in AuditEntry.objects.filter(course_id=course.pk)] == [
        "member.set",
        "course.start",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": "x", "language": "tlh"},
        {"title": "x", "description": "x" * 5001},
    ],
)
def test_a_course_with_a_bad_field_is_not_started(owner, fields):
    with pytest.raises(ValidationError):
        Course.objects.start(by=owner, **fields)
    assert not Course.objects.exists()


def test_a_new_role_takes_the_place_of_the_old_one(course, owner, editor):
    course.set_role(editor, "student", by=owner)
    assert roles(course)["editor"] == "student"
    assert rights(User.objects.get(pk=editor.pk), course) == {"see", "chat"}
    entry = AuditEntry.objects.filter(action="member.set").first()
    assert (entry.actor, entry.role) == (owner, "owner")
    assert (entry.before, entry.after) == ({"role": "editor"}, {"role": "student"})


def test_a_role_that_is_none_is_refused(course, editor):
    with pytest.raises(ValidationError, match="no role"):
        course.set_role(editor, "god")
    assert roles(course)["editor"] == "editor"


def test_the_same_role_again_is_one_membership(course, editor):
    course.set_role(editor, "editor")
    course.set_role(editor, "editor")
    assert course.memberships.filter(user=editor).count() == 1
    assert CourseUserPermission.objects.filter(user=editor, content_object=course).count() == 7


def test_whoever_is_removed_sees_the_course_no_more(course, owner, student):
    course.remove_member(student, by=owner)
    person = User.objects.get(pk=student.pk)
    assert rights(person, course) == frozenset()
    assert course not in Course.objects.visible_to(person)


def test_the_last_owner_can_neither_step_down_nor_leave(course, owner):
    with pytest.raises(Refused, match="needs an owner"):
        course.set_role(owner, "editor", by=owner)
    with pytest.raises(Refused, match="needs an owner"):
        course.remove_member(owner, by=owner)
    assert roles(course)["owner"] == "owner"
    assert "manage" in rights(User.objects.get(pk=owner.pk), course)


def test_with_another_owner_one_may_leave(course, owner, editor):
    course.set_role(editor, "owner", by=owner)
    course.remove_member(owner, by=owner)
    assert roles(course) == {"editor": "owner", "reviewer": "reviewer", "student": "student"}


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays():
    people = [factories.make_user(), factories.make_user()]
    for _turn in range(20):
        course = factories.make_course(owner=people[0])
        course.set_role(people[1], "owner")
        leaving = iter(people)

        def leave(course=course, leaving=leaving):
            person = next(leaving)
            try:
                Course.objects.get(pk=course.pk).remove_member(person)
            except Refused:
                return "stays"
            return "left"

        assert sorted(at_once(2, leave)) == ["left", "stays"]


def test_removing_a_person_takes_their_grants_along(course, student):
    pk = student.pk
    student.delete()
    assert not CourseUserPermission.objects.filter(user_id=pk).exists()


def test_removing_a_course_takes_its_grants_along(course):
    pk = course.pk
    course.delete()
    assert not CourseUserPermission.objects.filter(content_object_id=pk).exists()


def test_a_list_of_courses_tells_texts_and_tokens_without_a_query_for_each(
    full_course, owner, django_assert_num_queries
):
    factories.make_course(owner=owner, title="Empty")
    with django_assert_num_queries(1):
        empty, full = Course.objects.visible_to(owner).with_progress()
    assert (full.text_count, empty.text_count, empty.token_count) == (5, 0, 0)
    assert full.token_count > 400
