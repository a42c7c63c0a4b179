"""Bars of several parts: each as tall as its value, one on the other, told on hover."""

import xml.etree.ElementTree as ET
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from common.charts import StackedBars

NAMES = ["training", "chat"]


def blocks(columns, names=NAMES):
    svg = StackedBars("Money", names, columns, "$").svg()
    return list(ET.fromstring(svg).iter("rect")) if svg else []


def test_parts_stand_one_on_the_other():
    low, high = blocks([("2026-11", [3, 1])])
    assert float(low.get("height")) == 3 * float(high.get("height"))
    assert float(high.get("y")) + float(high.get("height")) == float(low.get("y"))
    assert (low.get("class"), high.get("class")) == ("block s1", "block s2")


def test_a_value_is_told_on_hover_without_an_exponent():
    found = blocks([("2026-11", [Decimal("0.000012"), 0]), ("2026-12", [0, Decimal("1234.5")])])
    assert [each.find("title").text for each in found] == [
        "2026-11 · training: $0.000012",
        "2026-12 · chat: $1,234",
    ]


def test_nothing_is_drawn_of_nothing():
    assert StackedBars("Money", NAMES, [], "$").svg() == ""
    assert StackedBars("Money", NAMES, [("2026-11", [0, 0])], "$").svg() == ""


def test_words_are_only_words():
    svg = StackedBars("<b>", ["<i>"], [("<script>", [1])]).svg()
    assert "<script>" not in svg and "<i>" not in svg and "<b>" not in svg
    ET.fromstring(svg)


@given(some.lists(some.lists(some.decimals(0, 10**9, places=6), min_size=2, max_size=2), max_size=40))
def test_whatever_was_spent_stays_within_the_picture(rows):
    for each in blocks([(str(number), values) for number, values in enumerate(rows)]):
        x, y, wide, tall = (float(each.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 52 and x + wide <= 626 and y >= 13.9 and y + tall <= 226.1
