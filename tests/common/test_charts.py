"""Charts are SVG that a strict Content-Security-Policy lets through and that shows its values on hover."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.charts import LineChart, Series, buckets_of, histogram

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+\.?\d*\Z")


def drawn(svg):
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def line_chart(points, **more):
    return LineChart("Loss", [Series("training", points)], "step", **more)


def test_every_value_has_a_hover_title():
    picture = drawn(line_chart([(1, 2.5), (2, 1.25)]).svg())
    titles = [dot.find(f"{SVG}title").text for dot in picture.iter(f"{SVG}circle")]
    assert titles == ["training · step 1: 2.5", "training · step 2: 1.25"]


def test_the_line_runs_through_its_dots_and_falls_as_the_loss_does():
    picture = drawn(line_chart([(0, 4), (10, 2), (20, 1)]).svg())
    path = picture.find(f".//{SVG}polyline").get("points").split()
    dots = [f"{dot.get('cx')},{dot.get('cy')}" for dot in picture.iter(f"{SVG}circle")]
    assert path == dots
    heights = [float(dot.get("cy")) for dot in picture.iter(f"{SVG}circle")]
    assert heights == sorted(heights), "y grows downwards in SVG"


def test_a_checkpoint_is_a_mark_with_a_title():
    picture = drawn(line_chart([(0, 1), (4, 1)], marks=[(4, "checkpoint, step 4")]).svg())
    marks = [each for each in picture.iter(f"{SVG}line") if each.get("class") == "mark"]
    assert [mark.find(f"{SVG}title").text for mark in marks] == ["checkpoint, step 4"]


def test_nothing_in_a_chart_needs_script_or_inline_style():
    chart = line_chart([(1, 0.5), (2, 0.25)], marks=[(1, "mark")]).svg()
    bars = histogram("Lengths", [("0–9", 3), ("10–19", 0)], "tokens")
    for element in [*drawn(chart).iter(), *drawn(bars).iter()]:
        assert element.tag.removeprefix(SVG) not in ("script", "style", "foreignObject", "image", "a")
        for name in element.attrib:
            assert name != "style" and not name.startswith("on") and "href" not in name


def test_hostile_names_are_escaped():
    evil = '"><script>alert(1)</script>'
    chart = LineChart(evil, [Series(evil, [(1, 1)])], evil, [(1, evil)])
    assert "<script" not in chart.svg() + histogram(evil, [(evil, 1)], evil)
    drawn(chart.svg())


@pytest.mark.parametrize("points", [[], [(1, None)], [(1, float("nan")), (2, float("inf"))]])
def test_a_chart_without_a_number_is_empty_and_draws_nothing(points):
    chart = line_chart(points)
    assert chart.empty
    assert chart.svg() == ""


def test_what_is_no_number_is_left_out_and_the_rest_is_drawn():
    picture = drawn(line_chart([(1, 2.0), (2, float("nan")), (3, None), (4, 1.0)]).svg())
    assert len(picture.findall(f".//{SVG}circle")) == 2


@given(
    some.lists(
        some.tuples(some.integers(0, 10**9), some.floats(allow_nan=True, allow_infinity=True)), max_size=8
    )
)
def test_any_values_at_all_make_a_picture_or_none(points):
    svg = line_chart(points).svg()
    for dot in drawn(svg).iter(f"{SVG}circle") if svg else []:
        assert NUMBER.match(dot.get("cx")) and NUMBER.match(dot.get("cy"))


def test_bars_carry_label_count_and_unit():
    picture = drawn(histogram("Lengths", [("0–9", 3), ("10–19", 1)], "tokens"))
    bars = list(picture.iter(f"{SVG}rect"))
    assert [bar.find(f"{SVG}title").text for bar in bars] == ["0–9 tokens: 3", "10–19 tokens: 1"]
    assert float(bars[0].get("height")) == pytest.approx(3 * float(bars[1].get("height")), abs=0.2)


def test_no_buckets_make_no_bars():
    assert histogram("Lengths", []) == ""
    assert buckets_of([]) == []


def test_bars_without_any_count_are_flat():
    bars = drawn(histogram("Lengths", [("0–9", 0)])).iter(f"{SVG}rect")
    assert [float(bar.get("height")) for bar in bars] == [0]


def test_buckets_have_round_steps_and_hold_every_value():
    assert buckets_of([3, 4, 27, 49]) == [
        ("0–4", 2), ("5–9", 0), ("10–14", 0), ("15–19", 0), ("20–24", 0), ("25–29", 1), ("30–34", 0),
        ("35–39", 0), ("40–44", 0), ("45–49", 1),
    ]  # fmt: skip


@given(some.lists(some.integers(0, 100_000), min_size=1), some.integers(1, 20))
def test_no_value_is_lost_among_few_buckets(values, most):
    buckets = buckets_of(values, most)
    assert sum(count for _label, count in buckets) == len(values)
    assert len(buckets) <= most + 1
