"""Stages on an axis of elapsed time."""

from datetime import UTC, datetime, timedelta

import pytest

from common.spans import Span, Spans, elapsed
from tests.common.test_charts import SVG, drawn

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (90_061, "1 d 1 h")],
)
def test_a_length_of_time_is_told_by_its_two_largest_units(seconds, told):
    assert elapsed(seconds) == told


def test_bars_are_as_long_as_their_stages_and_an_end_is_a_moment():
    spans = [Span("queued", at(0), at(60), "queued"), Span("running", at(60), at(300), "running"), Span("done", at(300), None)]  # fmt: skip
    picture = drawn(Spans("Timeline", spans, [(at(120), "checkpoint")]).svg())
    queued, running, done = picture.iter(f"{SVG}rect")
    assert float(running.get("width")) == pytest.approx(4 * float(queued.get("width")), abs=0.3)
    assert float(done.get("x")) == pytest.approx(
        float(running.get("x")) + float(running.get("width")), abs=0.3
    )
    assert [each.find(f"{SVG}title").text for each in (queued, done)] == ["queued · 1 min", "done"]
    (mark,) = [each for each in picture.iter(f"{SVG}line") if each.get("class") == "mark"]
    assert mark.find(f"{SVG}title").text == "checkpoint"


@pytest.mark.parametrize("seconds", [0, 0.001, 7, 4000, 10**6, 10**8])
def test_any_length_has_a_few_ticks_within_the_picture(seconds):
    picture = drawn(Spans("Timeline", [Span("<b>", at(0), at(seconds))]).svg())
    lines = [each for each in picture.iter(f"{SVG}line") if each.get("class") == "grid"]
    assert 1 <= len(lines) <= 6
    assert all(0 <= float(each.get("x1")) <= 640 for each in lines)


def test_nothing_is_drawn_of_nothing():
    assert Spans("Timeline", []).svg() == ""
