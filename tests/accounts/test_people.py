"""People sign in by email, in whatever letters they type it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry, User, record
from tests import factories


def test_an_email_is_one_person_however_it_is_written(db):
    ann = User.objects.create_user("  Ann@Example.ORG ", "a-long-password")
    assert ann.email == "ann@example.org"
    assert User.objects.get_by_natural_key("ANN@example.org") == ann
    with pytest.raises((ValidationError, IntegrityError)), transaction.atomic():
        User.objects.create_user("ann@EXAMPLE.org")


@pytest.mark.parametrize(
    "email", ["", None, "no-address", "a@b", "a b@example.org", "x" * 250 + "@example.org"]
)
def test_what_is_no_email_is_refused(db, email):
    with pytest.raises(ValidationError):
        User.objects.create_user(email)


def test_without_a_password_nobody_signs_in(db):
    service = User.objects.create_user("robot@example.org")
    assert not service.has_usable_password()
    assert not service.check_password("")


def test_a_superuser_is_staff_and_a_person_is_neither(db):
    root = User.objects.create_superuser("root@example.org", "a-long-password")
    assert root.is_staff and root.is_superuser and root.may_create_courses
    person = User.objects.create_user("person@example.org")
    assert not (person.is_staff or person.is_superuser or person.is_instructor or person.may_create_courses)


def test_a_person_goes_by_their_name_or_else_their_email(db):
    assert str(factories.make_user(name="Ann")) == "Ann"
    assert str(factories.make_user(email="ann@example.org")) == "ann@example.org"


def test_the_audit_trail_outlives_what_it_speaks_of(owner, course):
    entry = record(owner, "course.delete", course, course, reason="a test")
    pk = course.pk
    course.remove(by=owner)
    owner.forget(by=owner)
    entry = AuditEntry.objects.get(pk=entry.pk)
    assert (entry.actor, entry.object_id, entry.course_id) == (owner, str(pk), pk)
    assert entry.object_label == "The lighthouse"


def test_a_long_label_is_cut_to_its_column(owner):
    course = factories.make_course(owner=owner, title="x" * 200)
    assert AuditEntry.objects.filter(action="course.start").first().object_label == course.title
