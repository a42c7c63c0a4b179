"""find() and visible_to() over every model below a course: 404 for who may not see, 403 for who may not do."""

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from accounts.access import courses_where, find, rights
from accounts.models import User
from accounts.roles import ACTIONS
from courses.models import Course, CourseGroupPermission
from tests import factories
from tests.accounts.belongings import a_row_of_each_model

SEEN_BY_OWNERS = {"Invitation", "Notice", "Service", "Hook", "HookCall"}
SEEN_BY_STUDENTS = {"Course", "Membership", "Section", "Text", "Passage"}


@pytest.fixture
def rows(dataset, version, owner, student):
    return a_row_of_each_model(dataset, version, owner, student)


def visible(rows, person):
    """The names of the models of which this person sees the row."""
    return {
        type(row).__name__ for row in rows if type(row).objects.visible_to(person).filter(pk=row.pk).exists()
    }


def refused(rows, person, action, error):
    """The names of the models of which find() raises this error."""
    names = set()
    for row in rows:
        try:
            find(type(row), row.pk, person, to=action)
        except error:
            names.add(type(row).__name__)
    return names


def test_members_see_every_row_of_their_course_and_nobody_else_does(
    rows, owner, editor, reviewer, staff, student, stranger, inactive
):
    every = {model.__name__ for model in apps.get_models() if hasattr(model, "COURSE")}
    assert {type(row).__name__ for row in rows} == every
    for person in (owner, staff):
        assert visible(rows, person) == every
    for person in (editor, reviewer):
        assert visible(rows, person) == every - SEEN_BY_OWNERS
    assert visible(rows, student) == SEEN_BY_STUDENTS
    for person in (stranger, inactive, AnonymousUser()):
        assert visible(rows, person) == set()


def test_what_one_may_not_see_is_not_found_whatever_one_wants(rows, student, stranger, inactive):
    every = {type(row).__name__ for row in rows}
    for action in ACTIONS:
        for person in (stranger, inactive, AnonymousUser()):
            assert refused(rows, person, action, Http404) == every
        assert (
            refused(
                [row for row in rows if type(row).__name__ not in SEEN_BY_STUDENTS], student, action, Http404
            )
            == every - SEEN_BY_STUDENTS
        )


def test_what_one_may_see_but_not_change_is_forbidden(rows, owner, editor, reviewer, staff):
    open_rows = [row for row in rows if type(row).__name__ not in SEEN_BY_OWNERS]
    every = {type(row).__name__ for row in open_rows}
    for action in ("edit", "freeze", "train", "publish", "approve", "manage"):
        assert refused(open_rows, reviewer, action, PermissionDenied) == every
    for action in ("publish", "approve", "manage"):
        assert refused(open_rows, editor, action, PermissionDenied) == every
    for action in ACTIONS:
        for person in (owner, staff):
            assert refused(rows, person, action, (PermissionDenied, Http404)) == set()


def test_a_student_may_see_and_no_more(rows, student):
    seen = [row for row in rows if type(row).__name__ in SEEN_BY_STUDENTS]
    assert refused(seen, student, "see", (PermissionDenied, Http404)) == set()
    for action in ACTIONS - {"see", "chat"}:
        assert refused(seen, student, action, PermissionDenied) == SEEN_BY_STUDENTS


def test_finding_and_authorising_takes_two_queries_for_any_model(rows, owner):
    for row in rows:
        person = User.objects.get(pk=owner.pk)
        with CaptureQueriesContext(connection) as queries:
            find(type(row), row.pk, person, to="manage")
        assert len(queries) <= 2, type(row)


@pytest.mark.parametrize("pk", [0, -1, 10**6, 10**40])
def test_a_key_that_is_not_there_is_not_found(pk, owner):
    with pytest.raises(Http404):
        find(Course, pk, owner)


def test_rights_are_read_once(course, editor, django_assert_max_num_queries):
    person = User.objects.get(pk=editor.pk)
    with django_assert_max_num_queries(2):
        assert rights(person, course) == rights(person, course) != frozenset()


def test_rights_of_one_course_are_not_those_of_another(course, stranger, owner):
    other = factories.make_course(owner=stranger, student=owner)
    assert "manage" in rights(owner, course)
    assert rights(owner, other) == {"see", "chat"}


def test_a_group_may_be_given_a_permission(course, stranger):
    group = Group.objects.create(name="inspectors")
    group.user_set.add(stranger)
    for codename in ("view_course", "read_course", "review_course"):
        CourseGroupPermission.objects.assign_perm(codename, group, obj=course)
    assert rights(stranger, course) == {"see", "read", "review"}
    assert find(Course, course.pk, stranger, to="review") == course
    with pytest.raises(PermissionDenied):
        find(Course, course.pk, stranger, to="edit")


def test_an_inactive_member_of_a_group_still_sees_nothing(course, inactive):
    group = Group.objects.create(name="inspectors")
    group.user_set.add(inactive)
    CourseGroupPermission.objects.assign_perm("view_course", group, obj=course)
    assert not courses_where(inactive, "see").exists()
    assert rights(inactive, course) == frozenset()


def test_a_permission_that_is_not_for_one_course_gives_nothing(course, stranger):
    stranger.user_permissions.set(Permission.objects.filter(content_type__model="course"))
    person = User.objects.get(pk=stranger.pk)
    assert person.has_perm("courses.manage_course")
    assert course not in Course.objects.visible_to(person)
    assert rights(person, course) == frozenset()


def test_a_member_who_becomes_inactive_loses_everything_at_once(course, owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    person = User.objects.get(pk=owner.pk)
    assert not Course.objects.visible_to(person).exists()
    with pytest.raises(Http404):
        find(Course, course.pk, person)


def test_inactive_staff_see_nothing(course, staff):
    staff.is_active = False
    assert not Course.objects.visible_to(staff).exists()
    assert rights(staff, course) == frozenset()


def test_a_list_holds_each_row_once_however_many_grants_lead_to_it(course, editor):
    group = Group.objects.create(name="helpers")
    group.user_set.add(editor)
    CourseGroupPermission.objects.assign_perm("view_course", group, obj=course)
    assert list(Course.objects.visible_to(editor)) == [course]
