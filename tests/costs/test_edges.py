"""A budget under pressure: thirty-two at once, the last second of a month, sums that are none."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from common.states import Refused
from providers import ledger
from providers.ledger import Budget, LedgerEntry, this_month
from tests import factories
from tests.common.crowd import at_once
from tests.costs.conftest import spend


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("money", ["1", "0.1", "0.000001"])
def test_of_thirty_two_at_once_ten_pass_where_there_is_money_for_ten(money):
    course, model = factories.make_course(), factories.make_model()
    budget = factories.make_budget(course=course, limit="100")
    Budget.objects.filter(pk=budget.pk).update(held=budget.limit - Decimal(money) * 10)

    def reserve():
        try:
            return spend(course, model, None, estimate=money).pk
        except Refused:
            return None

    passed = [each for each in at_once(32, reserve) if each]
    budget.refresh_from_db()
    assert len(passed) == 10 == LedgerEntry.objects.count()
    assert budget.held == budget.limit, "overshoot 0, and to the last cent"


def test_ten_cents_ten_times_are_a_dollar_on_every_database(course, model):
    budget = factories.make_budget(course=course, limit="1")
    for _turn in range(10):
        spend(course, model, None, estimate="0.1")
    budget.refresh_from_db()
    assert budget.held == 1
    with pytest.raises(Refused):
        spend(course, model, None, estimate="0.000001")


@pytest.fixture
def clock(monkeypatch):
    """Sets the time that the ledger sees."""

    def set_to(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return set_to


def test_what_is_reserved_on_the_last_day_stays_in_its_month(course, model, clock):
    old = Budget.objects.create(course=course, month=date(2027, 1, 1), limit=5)
    new = Budget.objects.create(course=course, month=date(2027, 2, 1), limit=5)
    clock(datetime(2027, 1, 31, 23, 59, 59, 999999, tzinfo=UTC))
    entry = spend(course, model, None, estimate="4")
    clock(datetime(2027, 2, 1, tzinfo=UTC))
    later = spend(course, model, None, estimate="5")
    entry.settle(3)
    old.refresh_from_db(), new.refresh_from_db()
    assert (entry.month, old.held) == (old.month, 3)
    assert (later.month, new.held) == (new.month, 5)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_the_readers_time_zone_does_not_move_the_month(course, model, clock, zone):
    clock(datetime(2027, 1, 31, 23, 30, tzinfo=UTC))
    with timezone.override(zone):
        assert this_month() == date(2027, 1, 1)
    clock(datetime(2027, 2, 1, 0, 30, tzinfo=UTC))
    with timezone.override(zone):
        assert this_month() == date(2027, 2, 1)


NO_SUM = [
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "-1",
    "-0.000001",
    "1e30",
    "100000000",
    "much",
    None,
    float("nan"),
]


@pytest.mark.parametrize("money", NO_SUM)
def test_a_cost_that_is_no_sum_is_refused_and_changes_nothing(course, model, money):
    budget = factories.make_budget(course=course, limit="10")
    entry = spend(course, model, None, estimate="2")
    for act in (
        lambda: LedgerEntry.objects.reserve(course, "chat", model, 1, money),
        lambda: entry.settle(money),
        lambda: Budget.objects.set_limit(course, this_month(), money),
    ):
        with pytest.raises(ValidationError):
            act()
    budget.refresh_from_db(), entry.refresh_from_db()
    assert (budget.limit, budget.held, entry.reserved, entry.settled) == (10, 2, 2, None)
    assert LedgerEntry.objects.count() == 1


def test_less_than_a_millionth_is_reserved_as_one_and_never_as_nothing(course, model):
    factories.make_budget(course=course)
    assert spend(course, model, None, estimate="0.0000001").reserved == ledger.PLACES
