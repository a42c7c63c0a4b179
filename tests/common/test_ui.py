"""The small words of the pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from common.templatetags import ui
from tests import factories


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "—"),
        (0, "free"),
        (Decimal("0.000000"), "free"),
        (Decimal("12.5"), "$12.5"),
        (Decimal("1234.5678"), "$1,234.5678"),
        (Decimal("3"), "$3"),
        (Decimal("100"), "$100"),
        (Decimal("0.0001"), "$0.0001"),
        (Decimal("0.000001"), "< $0.0001"),
    ],
)
def test_money(amount, text):
    assert ui.money(amount) == text


def test_numbers_speak_the_readers_language():
    assert ui.thousands(1234567) == "1,234,567"
    assert ui.percent(0.123) == "12.3 %"
    with translation.override("ru"):
        assert ui.thousands(1234567) == "1\xa0234\xa0567"
        assert ui.percent(0.123) == "12,3 %"


def test_a_missing_number_is_a_dash():
    assert {ui.thousands(None), ui.decimals(None), ui.percent(None), ui.ago(None)} == {"—"}


def test_a_time_is_relative_with_the_exact_one_on_hover():
    moment = timezone.now() - timedelta(hours=3, minutes=5)
    told = ui.ago(moment)
    assert "3\xa0hours ago" in told
    assert f'title="{moment:%Y-%m-%d %H:%M}' in told
    assert f'datetime="{moment.isoformat()}"' in told


def test_a_time_long_ago():
    assert "years ago" in ui.ago(datetime(2001, 1, 1, tzinfo=UTC))


def test_a_state_carries_its_word_and_its_class(db):
    example = factories.make_example(dataset=factories.make_dataset(), state="rejected")
    assert ui.state(example) == '<span class="state rejected">rejected</span>'


def test_an_item_of_a_mapping_or_none():
    assert ui.item({"a": 1}, "a") == 1
    assert ui.item({"a": 1}, "b") is ui.item(None, "a") is None


def test_the_step_of_the_course_that_one_is_at():
    assert ui.here({"step": "texts"}, "texts") == ' aria-current="page"'
    assert ui.here({"step": "texts"}, "jobs") == ui.here({}, "texts") == ""
