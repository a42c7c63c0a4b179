"""A course that has spent: two people, two models, three purposes, two months."""

from datetime import date
from decimal import Decimal

import pytest

from providers.ledger import LedgerEntry, this_month
from tests import factories

LAST_YEAR = date(2025, 12, 1)


@pytest.fixture
def model(db):
    return factories.make_model(name="small")


@pytest.fixture
def large(model):
    return factories.make_model(provider=model.provider, name="large")


def spend(course, model, by, purpose="training", estimate="1", settled=None, tokens=1000, month=None):
    """One entry; without `settled` its money is still reserved."""
    entry = LedgerEntry.objects.reserve(course, purpose, model, tokens, Decimal(estimate), by=by)
    if settled is not None:
        entry.settle(Decimal(settled), tokens)
    if month:
        LedgerEntry.objects.filter(pk=entry.pk).update(month=month)
    return entry


@pytest.fixture
def spent(course, model, large, owner, editor, student):
    """This month 6.5 billed and 2 reserved of 10; in December 2025 3 billed."""
    factories.make_budget(course=course, limit="10")
    spend(course, large, owner, estimate="4", settled="3", month=LAST_YEAR, tokens=9000)
    course.budgets.update(held=0)
    spend(course, large, owner, estimate="5", settled="6", tokens=7000)
    spend(course, model, editor, estimate="2")
    spend(course, model, student, purpose="chat", estimate="1", settled="0.5", tokens=30)
    return course


@pytest.fixture
def now():
    return f"{this_month():%Y-%m}"
