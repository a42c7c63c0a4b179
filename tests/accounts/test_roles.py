"""The table of who may do what, written a second time: a change of rights is a change in two places."""

import pytest

from accounts.access import rights
from accounts.models import User
from accounts.roles import ACTIONS, LABELS, actions_of
from courses.models import Course

TABLE = """
             see  chat  read  review  edit  freeze  train  publish  approve  manage
owner        x    x     x     x       x     x       x      x        x        x
editor       x    x     x     x       x     x       x      .        .        .
reviewer     x    x     x     x       .     .       .      .        .        .
student      x    x     .     .       .     .       .      .        .        .
"""
HEAD, *LINES = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {
    role: {name for name, mark in zip(HEAD, marks, strict=True) if mark == "x"} for role, *marks in LINES
}


def test_the_table_knows_every_action():
    assert set(HEAD) == ACTIONS == set(LABELS)


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_gives_exactly_its_row(role):
    assert actions_of(role) == EXPECTED[role]


@pytest.mark.parametrize("role", EXPECTED)
def test_a_member_holds_exactly_the_row_of_their_role(course, role):
    person = User.objects.get(email=f"{role}@example.org")
    assert rights(person, course) == EXPECTED[role]


def test_staff_hold_all_and_the_others_nothing(course, staff, stranger, inactive):
    assert rights(staff, course) == ACTIONS
    assert rights(stranger, course) == rights(inactive, course) == frozenset()


def test_every_action_is_a_permission_in_the_database(db):
    codes = {permission[0] for permission in Course._meta.permissions}
    assert codes == {f"{action}_course" for action in ACTIONS - {"see"}}
