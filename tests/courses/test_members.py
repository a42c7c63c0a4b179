"""Members change: roles given, taken, handed over, given back; what each gets to see of the others."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.access import rights
from accounts.models import AuditEntry, User
from accounts.roles import ACTIONS, LABELS, MAY, Role
from common.states import Refused
from courses.granting import renew
from courses.models import CourseUserPermission
from tests import factories
from tests.common.crowd import at_once
from tests.doors import api, pages


def role_of(course, person):
    return course.memberships.filter(user=person).values_list("role", flat=True).first()


def test_an_owner_gives_another_role_on_the_page(course, owner, student):
    member = course.memberships.get(user=student)
    answer = pages(owner).post(f"/members/{member.pk}/change/", {"role": "reviewer"})
    assert answer["Location"] == f"/courses/{course.pk}/members/"
    assert role_of(course, student) == "reviewer"
    pages(owner).post(f"/members/{member.pk}/change/", {"role": "god"})
    assert role_of(course, student) == "reviewer"


def test_an_owner_gives_another_role_by_the_api(course, owner, student):
    member = course.memberships.get(user=student)
    answer = api(owner).patch(f"/api/members/{member.pk}/", {"role": "editor"}, format="json")
    assert (answer.status_code, answer.json()["role"], answer.json()["email"]) == (
        200,
        "editor",
        student.email,
    )
    assert api(owner).patch(f"/api/members/{member.pk}/", {"role": "god"}, format="json").status_code == 400


def test_handing_over_makes_one_owner_and_leaves_an_editor(course, owner, editor):
    member = course.memberships.get(user=editor)
    pages(owner).post(f"/courses/{course.pk}/hand-over/", {"member": member.pk})
    assert (role_of(course, owner), role_of(course, editor)) == ("editor", "owner")
    assert "manage" not in rights(User.objects.get(pk=owner.pk), course)
    assert pages(owner).post(f"/courses/{course.pk}/hand-over/", {"member": member.pk}).status_code == 403


@pytest.mark.parametrize("whom", ["oneself", "a stranger", "nobody", "a program", "a word"])
def test_a_course_is_handed_to_another_member_only(course, owner, stranger, whom):
    program = course.add_service("Sync", "editor", by=owner)
    member = {
        "oneself": course.memberships.get(user=owner).pk, "stranger": 0, "nobody": 10**9, "a word": "x",
        "a stranger": stranger.memberships.get().pk, "a program": program.memberships.get().pk,
    }[whom]  # fmt: skip
    answer = api(owner).post(f"/api/courses/{course.pk}/hand-over/", {"member": member}, format="json")
    assert answer.status_code == 400
    page = pages(owner).post(f"/courses/{course.pk}/hand-over/", {"member": member}, follow=True)
    assert "Choose another member" in page.content.decode()
    assert role_of(course, owner) == "owner"


def test_whoever_leaves_sees_the_course_no_more(course, student, editor):
    assert pages(student).post(f"/courses/{course.pk}/leave/")["Location"] == "/"
    assert pages(student).get(f"/courses/{course.pk}/texts/").status_code == 404
    assert api(editor).post(f"/api/courses/{course.pk}/leave/").status_code == 204
    assert AuditEntry.objects.filter(action="member.remove", actor=editor, before={"role": "editor"}).exists()


def test_the_last_owner_cannot_leave(course, owner):
    answer = pages(owner).post(f"/courses/{course.pk}/leave/")
    assert answer.status_code == 400 and "needs an owner" in answer.content.decode()
    assert api(owner).post(f"/api/courses/{course.pk}/leave/").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(course, owner, editor):
    course.set_role(editor, "owner", by=owner)
    people = [owner, editor]

    def leave():
        try:
            course.remove_member(people.pop(), by=None)
        except Refused:
            return "stays"

    assert sorted(filter(None, at_once(2, leave))) == ["stays"]
    assert course.memberships.filter(role="owner").count() == 1
    assert connection.vendor in ("sqlite", "postgresql")


def test_students_see_who_teaches_and_no_other_student(course, owner, student):
    other = factories.make_user(name="Otto Other")
    course.set_role(other, "student", by=owner)
    page = pages(student).get(f"/courses/{course.pk}/members/").content.decode()
    assert "Olga Owner" in page and "Eva Editor" in page
    assert "Otto Other" not in page and "@example.org" not in page
    told = api(student).get(f"/api/courses/{course.pk}/members/").json()
    assert {row["name"] for row in told} == {"Olga Owner", "Eva Editor", "Rex Reviewer"}
    assert {row["email"] for row in told} == {""}


def test_only_owners_see_emails(course, owner, editor):
    assert "student@example.org" in pages(owner).get(f"/courses/{course.pk}/members/").content.decode()
    assert "student@example.org" not in pages(editor).get(f"/courses/{course.pk}/members/").content.decode()
    assert {row["email"] for row in api(editor).get(f"/api/courses/{course.pk}/members/").json()} == {""}


def test_a_person_without_a_name_is_not_called_by_their_whole_email(course, owner, editor):
    course.set_role(factories.make_user(email="maria@secret.example.org"), "reviewer", by=owner)
    page = pages(editor).get(f"/courses/{course.pk}/members/").content.decode()
    assert "maria" in page and "secret.example.org" not in page


def test_the_page_of_roles_is_the_table(course, student):
    page = pages(student).get(f"/courses/{course.pk}/roles/").content.decode()
    assert all(str(LABELS[action]) in page for action in ACTIONS)
    assert page.count("✓") == sum(len(MAY[action] & set(Role)) for action in ACTIONS) + len(ACTIONS)


def test_a_change_of_the_table_reaches_those_who_have_a_role(course, editor, stranger):
    held = CourseUserPermission.objects.filter(user=editor, content_object=course)
    manage = CourseUserPermission.objects.filter(permission__codename="manage_course").first().permission
    before = set(held.values_list("permission", flat=True))
    held.first().delete()
    held.create(user=editor, content_object=course, permission=manage)
    by_hand = CourseUserPermission.objects.create(user=stranger, content_object=course, permission=manage)
    renew()
    assert set(held.values_list("permission", flat=True)) == before
    assert CourseUserPermission.objects.filter(pk=by_hand.pk).exists()


def test_a_program_neither_owns_nor_works_elsewhere(course, owner):
    program = course.add_service("Sync", "student", by=owner)
    other = factories.make_course(owner=owner)
    for where, role in [(course, "owner"), (other, "student")]:
        with pytest.raises(ValidationError, match="serves one course"):
            where.set_role(program, role, by=owner)
