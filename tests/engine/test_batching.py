"""What a step sees: similar lengths together, everything once an epoch, and always the same again."""

import random

import pytest

from engine.batching import Schedule

LENGTHS = [random.Random(number).choice([20, 60, 400, 1500]) + number % 7 for number in range(101)]


@pytest.mark.parametrize("batch_size", [1, 4, 100, 256])
def test_every_epoch_sees_each_example_once_and_in_another_order(batch_size):
    schedule = Schedule(LENGTHS, batch_size, n_epochs=3, seed=5)
    steps = [schedule.batch(step) for step in range(1, schedule.total_steps + 1)]
    size = schedule.steps_per_epoch
    epochs = [[place for batch in steps[n : n + size] for place in batch] for n in range(0, 3 * size, size)]
    assert all(sorted(epoch) == [*range(101)] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] or batch_size >= 101
    assert [schedule.ends_epoch(step) for step in range(1, size + 1)] == [False] * (size - 1) + [True]


def test_a_step_is_the_same_whatever_was_asked_before():
    asked = {step: Schedule(LENGTHS, 4, 3, seed=5).batch(step) for step in (70, 3, 30, 71)}
    schedule = Schedule(LENGTHS, 4, 3, seed=5)
    assert {step: schedule.batch(step) for step in (3, 71, 30, 70)} == asked
    assert Schedule(LENGTHS, 4, 3, seed=6).batch(3) != asked[3]


def padding(batches):
    """The part of the tokens that says nothing."""
    widths = [[LENGTHS[place] for place in batch] for batch in batches]
    return 1 - sum(map(sum, widths)) / sum(max(batch) * len(batch) for batch in widths)


def test_little_of_a_batch_is_padding():
    by_chance = [range(start, min(start + 4, 101)) for start in range(0, 101, 4)]
    assert padding(by_chance) > 0.5
    assert padding(map(Schedule(LENGTHS, 4, 1, seed=5).batch, range(1, 27))) < 0.25


def test_long_batches_come_at_any_time():
    schedule = Schedule(LENGTHS, 4, 1, seed=5)
    longest = [max(LENGTHS[place] for place in schedule.batch(step)) for step in range(1, 27)]
    assert longest != sorted(longest)
    assert max(longest[:13]) > 1000 < max(longest[13:])
