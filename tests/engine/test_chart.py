"""The picture of a job's losses: what its axes say, and where its points lie."""

import re

import pytest

from engine.api.chart import chart, ticks


@pytest.mark.parametrize(
    ("top", "whole", "expected"),
    [
        (2.59, False, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.4, False, [0, 0.1, 0.2, 0.3, 0.4]),
        (4 * 0.09999999999999999, False, [0, 0.1, 0.2, 0.3, 0.4]),
        (1, True, [0, 1]),
        (90, True, [0, 20, 40, 60, 80]),
    ],
)
def test_axes_have_round_numbers(top, whole, expected):
    assert ticks(top, whole) == expected


def test_without_losses_there_is_no_picture():
    assert chart([]) == chart([{"step": 1, "total_steps": 3}]) == ""


def test_points_lie_between_the_axes():
    steps = [{"step": 0, "total_steps": 2, "full_valid_loss": 4.0}]
    steps += [{"step": step, "total_steps": 2, "train_loss": 2.0} for step in (1, 2)]
    [train, valid] = re.findall(r'polyline points="([^"]*)"', chart(steps))
    assert (train, valid) == ("193.0,63.0 352.0,63.0", "34.0,8.0")
