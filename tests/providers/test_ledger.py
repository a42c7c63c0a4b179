"""Money is held before it is spent, settled by what was billed, and refused at the limit."""

from decimal import Decimal

import pytest
from django.utils import timezone

from common.states import Refused
from providers.models import Budget, LedgerEntry
from tests import factories
from tests.common.crowd import at_once


@pytest.fixture
def model(db):
    return factories.make_model()


@pytest.fixture
def budget(course):
    return factories.make_budget(course=course, limit="10")


def reserve(course, model, money, tokens=1000, by=None):
    return LedgerEntry.objects.reserve(course, "training", model, tokens, money, by=by)


def held(budget):
    return Budget.objects.get(pk=budget.pk).held


def test_an_estimate_is_held_and_settled_by_what_was_billed(course, budget, model, editor):
    entry = reserve(course, model, Decimal("4"), by=editor)
    assert (entry.estimate, entry.reserved, entry.settled, entry.by) == (4, 4, None, editor)
    assert held(budget) == 4
    entry.settle(Decimal("2.5"), tokens=700)
    entry.refresh_from_db()
    assert (entry.estimate, entry.reserved, entry.settled, entry.tokens) == (4, 0, Decimal("2.5"), 700)
    assert held(budget) == Decimal("2.5")


def test_settling_twice_counts_once(course, budget, model):
    entry = reserve(course, model, 4)
    stale = LedgerEntry.objects.get(pk=entry.pk)
    entry.settle(3)
    entry.settle(3)
    stale.settle(9)
    assert held(budget) == 3
    assert LedgerEntry.objects.get(pk=entry.pk).settled == 3


def test_what_failed_gives_the_money_back(course, budget, model):
    reserve(course, model, 4).settle(0)
    assert held(budget) == 0


def test_more_than_the_limit_is_refused_to_the_cent_and_nothing_is_written(course, budget, model):
    reserve(course, model, Decimal("6"))
    with pytest.raises(Refused, match=r"\$4\.0001 is over what this course may still spend"):
        reserve(course, model, Decimal("4.0001"))
    assert (held(budget), LedgerEntry.objects.count()) == (6, 1)
    reserve(course, model, Decimal("4"))
    assert held(budget) == 10


def test_a_bill_over_the_estimate_leaves_less_for_later(course, budget, model):
    reserve(course, model, 4).settle(12)
    assert held(budget) == 12
    with pytest.raises(Refused):
        reserve(course, model, Decimal("0.01"))


def test_without_a_budget_only_what_is_free_may_be_done(course, model):
    with pytest.raises(Refused, match="An owner or staff can raise the budget"):
        reserve(course, model, Decimal("0.000001"))
    entry = reserve(course, model, 0)
    entry.settle(0)
    assert entry.estimate == 0


def test_the_budget_of_another_month_or_course_does_not_help(course, model, owner):
    factories.make_budget(course=factories.make_course(owner=owner))
    Budget.objects.create(course=course, month="2020-01-01", limit=100)
    with pytest.raises(Refused):
        reserve(course, model, 1)


def test_what_is_settled_in_a_later_month_counts_in_its_own(course, model):
    month = timezone.localdate().replace(day=1)
    old = Budget.objects.create(course=course, month="2020-01-01", limit=10, held=4)
    entry = LedgerEntry.objects.create(
        course=course, purpose="training", model=model, month="2020-01-01", estimate=4, reserved=4
    )
    now = Budget.objects.create(course=course, month=month, limit=10)
    LedgerEntry.objects.get(pk=entry.pk).settle(3)
    assert (held(old), held(now)) == (3, 0)


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_spend_at_once_only_as_many_as_there_is_money_for():
    course = factories.make_course()
    budget, model = factories.make_budget(course=course, limit="10"), factories.make_model()

    def spend():
        spent = 0
        for _turn in range(4):
            try:
                reserve(course, model, 1)
            except Refused:
                continue
            spent += 1
        return spent

    assert sum(at_once(8, spend)) == 10
    assert held(budget) == 10
    assert LedgerEntry.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_settle_at_once_one_counts():
    course = factories.make_course()
    budget, model = factories.make_budget(course=course), factories.make_model()
    entry = reserve(course, model, 5)
    at_once(8, lambda: LedgerEntry.objects.get(pk=entry.pk).settle(2))
    assert held(budget) == 2
