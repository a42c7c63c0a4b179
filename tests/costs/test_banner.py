"""Where money is spent stands how much of it is left, from 80 % on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.costs.conftest import spend
from tests.doors import pages

NEAR, REACHED = "More than 80 % of this month", "budget is used up"
SPENDING = ["jobs/", "assistants/"]


def page(person, course, name):
    answer = pages(person).get(f"/courses/{course.pk}/{name}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", SPENDING)
def test_it_warns_at_80_percent_and_at_the_limit(spent, owner, model, name):
    spent.budgets.update(limit="10.63")
    assert NEAR not in page(owner, spent, name) and REACHED not in page(owner, spent, name)
    spent.budgets.update(limit="10.62")
    warned = page(owner, spent, name)
    assert NEAR in warned and "$8.5 of $10.62" in warned and f"/courses/{spent.pk}/costs/" in warned
    spend(spent, model, owner, estimate="2.12")
    assert REACHED in page(owner, spent, name) and NEAR not in page(owner, spent, name)


def test_students_are_told_of_the_limit_only_and_no_sums(spent, student):
    assert NEAR not in page(student, spent, "assistants/")
    spent.budgets.update(limit="8.5")
    told = page(student, spent, "assistants/")
    assert REACHED in told and "$8.5" not in told and "/costs/" not in told


@pytest.mark.parametrize("name", SPENDING)
def test_a_course_that_spends_nothing_is_warned_of_nothing(course, owner, name):
    assert 'class="note' not in page(owner, course, name)


@pytest.mark.parametrize("name", SPENDING)
def test_it_takes_one_query(spent, owner, name):
    with CaptureQueriesContext(connection) as seen:
        page(owner, spent, name)
    assert sum("providers_budget" in each["sql"] for each in seen) == 1
    assert not any("providers_ledgerentry" in each["sql"] and "SUM" in each["sql"] for each in seen)
