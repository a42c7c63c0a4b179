"""What things cost, by the prices of the day and the tokens."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from providers.pricing import answer_cost, auto_epochs, training_cost
from tests import factories


@pytest.fixture
def model(db):
    return factories.make_model(train=None, answer=None)


def price(model, what, amount, day):
    return model.prices.create(what=what, amount=Decimal(amount), valid_from=day, source="a price list")


def test_the_price_of_a_day_is_the_last_that_began_by_then(model):
    price(model, "train", "5", date(2026, 3, 1))
    price(model, "train", "3", date(2026, 1, 1))
    price(model, "train", "9", date(2999, 1, 1))
    days = {
        date(2025, 12, 31): None,
        date(2026, 1, 1): 3,
        date(2026, 2, 28): 3,
        date(2026, 3, 1): 5,
        date(2026, 11, 1): 5,
    }
    assert {day: model.price("train", on=day) for day in days} == days
    assert model.price("train") == 5
    assert model.price("output") is None


def test_training_costs_tokens_times_epochs_times_price(model):
    assert training_cost(model, 1_000_000, 3) is None
    price(model, "train", "3.00", date(2026, 1, 1))
    assert training_cost(model, 1_000_000, 3) == 9
    assert training_cost(model, 0, 3) == 0
    assert training_cost(model, 123_456, 2) == Decimal("0.740736")


def test_an_answer_costs_what_was_asked_and_what_was_told(model):
    assert answer_cost(model, 1_000_000, 1_000_000) == 0
    price(model, "input", "0.30", date(2026, 1, 1))
    price(model, "output", "1.20", date(2026, 1, 1))
    assert answer_cost(model, 1000, 500) == Decimal("0.0009")


def test_a_price_is_not_negative_and_there_is_one_a_day(model):
    with pytest.raises(IntegrityError), transaction.atomic():
        price(model, "train", "-1", date(2026, 1, 1))
    price(model, "train", "1", date(2026, 1, 1))
    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        price(model, "train", "2", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        (1, 25),
        (4, 25),
        (10, 10),
        (20, 5),
        (33, 3),
        (34, 3),
        (100, 3),
        (8333, 3),
        (8334, 2),
        (12_501, 1),
        (10**6, 1),
    ],
)
def test_auto_becomes_as_many_epochs_as_at_openai(examples, epochs):
    assert auto_epochs(examples) == epochs


def test_no_examples_are_no_division_by_zero():
    assert auto_epochs(0) == 25
