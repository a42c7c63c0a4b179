"""The database itself refuses to change the audit trail; an act and its entry stand or fall together."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import triggers
from accounts.models import AuditEntry, record
from tests import factories

ACTS = {
    "update": lambda: AuditEntry.objects.update(action="nothing"),
    "save": lambda: AuditEntry.objects.first().save(),
    "delete": lambda: AuditEntry.objects.first().delete(),
    "raw delete": lambda: connection.cursor().execute("DELETE FROM accounts_auditentry"),
    "raw update": lambda: connection.cursor().execute("UPDATE accounts_auditentry SET actor_id = NULL"),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_entry_is_for_good(course, act):
    before = list(AuditEntry.objects.values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ACTS[act]()
    assert list(AuditEntry.objects.values()) == before != []


def test_installing_the_guard_again_changes_nothing(course):
    triggers.install(connection)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_an_act_that_fails_leaves_no_entry(course, owner):
    before = AuditEntry.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        course.change(by=owner, title="Other")
        raise ZeroDivisionError
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("who", "role"), [("owner", "owner"), ("editor", "editor"), ("staff", "staff"), ("stranger", "")]
)
def test_an_entry_says_in_what_capacity_somebody_acted(request, course, who, role):
    assert record(request.getfixturevalue(who), "test.act", course, course).role == role


def test_a_superuser_is_named_as_one(course):
    root = factories.make_user(is_staff=True, is_superuser=True)
    assert record(root, "test.act", course, course).role == "superuser"


def test_a_person_who_leaves_is_a_number_in_the_trail(course, student):
    pk = student.pk
    student.forget(by=student)
    entry = AuditEntry.objects.get(action="person.forget")
    assert (entry.actor_id, entry.object_label) == (pk, f"person {pk}")
    assert "student@example.org" not in str(list(AuditEntry.objects.values()))
