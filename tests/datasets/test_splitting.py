"""Whole groups go to one split, near copies stay together, and the same seed splits the same way."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.states import Refused
from datasets import splitting
from datasets.splitting import ALIKE, check_enough, groups, near_copies, shingles

WORDS = ["lamp", "oil", "wick", "glass", "sea", "fog"]
TEXTS = some.lists(some.lists(some.sampled_from(WORDS), max_size=14).map(" ".join), max_size=14)


def by_comparing_all(texts):
    sets = [shingles(text) for text in texts]
    return [
        (one, other)
        for other in range(len(sets))
        for one in range(other)
        if len(sets[one] & sets[other]) / len(sets[one] | sets[other]) >= ALIKE
    ]


@given(TEXTS)
def test_near_copies_are_those_that_comparing_all_finds(texts):
    assert sorted(near_copies(texts)) == sorted(by_comparing_all(texts))


def test_near_copies_among_many_longer_texts_are_those_that_comparing_all_finds():
    draw = random.Random(7)
    texts = []
    for _turn in range(150):
        words = [draw.choice(WORDS) + str(draw.randrange(40)) for _word in range(draw.randint(10, 60))]
        texts.append(" ".join(words))
        for _copy in range(draw.randint(0, 2)):
            changed = [word if draw.random() > 0.04 else "other" for word in words]
            texts.append(" ".join(changed))
    found = near_copies(texts)
    assert sorted(found) == sorted(by_comparing_all(texts))
    assert len(found) > 20


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("The lamp is lit before sunset.", "the LAMP is lit, before sunset!", True),
        ("Лампу зажигают до заката солнца", "лампу зажигают до заката солнца.", True),
        ("The lamp is lit before sunset.", "The lens is wiped after sunrise.", False),
        ("lamp", "Lamp.", True),
        ("lamp", "lens", False),
        ("🙂", "…", True),
        ("", "", True),
    ],
)
def test_case_and_punctuation_make_no_difference_and_words_do(one, other, alike):
    assert near_copies([one, other]) == ([(0, 1)] if alike else [])


def test_rows_of_one_key_are_one_group_and_so_are_keys_that_share_a_copy():
    grouped = groups(["a", "b", "a", "c", "d"], copies=[(1, 3)])
    assert sorted(sorted(rows) for rows in grouped.values()) == [[0, 2], [1, 3], [4]]


@given(
    some.lists(some.integers(0, 6), min_size=1, max_size=20),
    some.lists(some.tuples(some.integers(0, 19), some.integers(0, 19)), max_size=8),
)
def test_every_row_is_in_one_group_and_copies_are_together(keys, copies):
    copies = [(one, other) for one, other in copies if max(one, other) < len(keys)]
    grouped = groups(keys, copies)
    assert sorted(index for rows in grouped.values() for index in rows) == list(range(len(keys)))
    place = {index: name for name, rows in grouped.items() for index in rows}
    assert all(place[one] == place[other] for one, other in copies)
    assert all(place[one] == place[other] for one in place for other in place if keys[one] == keys[other])


def split(sizes, seed=0, validation=0.1, test=0.1):
    """How many rows each split got, of groups of these sizes; no group may straddle."""
    grouped, index = {}, 0
    for name, size in enumerate(sizes):
        grouped[name] = list(range(index, index + size))
        index += size
    placed = splitting.split(grouped, seed, validation, test)
    assert sorted(placed) == list(range(index))
    for rows in grouped.values():
        assert len({placed[row] for row in rows}) == 1
    return Counter(placed.values())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_shares_are_kept_roughly_where_groups_are_small(seed, share):
    sizes = [random.Random(seed).randint(1, 8) for _group in range(100)]
    counts = split(sizes, seed, validation=share, test=share)
    for name in ("validation", "test"):
        assert counts[name] / sum(sizes) == pytest.approx(share, abs=0.03)


def test_a_share_of_nothing_is_nothing():
    assert split([5] * 10, validation=0, test=0) == {"train": 50}
    assert set(split([5] * 10, validation=0)) == {"train", "test"}


def test_one_group_only_trains():
    assert split([40]) == {"train": 40}


def test_large_groups_still_leave_something_to_test_on():
    counts = split([20, 20, 20])
    assert counts["train"] >= 20 and counts["test"] == 20


@given(
    some.lists(some.integers(1, 30), min_size=1, max_size=30),
    some.integers(0, 2**31 - 1),
    some.floats(0, 0.5),
    some.floats(0, 0.5),
)
def test_any_sizes_seed_and_shares_keep_groups_whole_and_leave_some_to_train(sizes, seed, validation, test):
    assert split(sizes, seed, validation, test)["train"] > 0


def test_the_same_seed_is_the_same_split_and_another_seed_another():
    grouped = {name: [name] for name in range(60)}
    once = splitting.split(grouped, 1, 0.2, 0.2)
    assert splitting.split(grouped, 1, 0.2, 0.2) == once
    assert splitting.split(grouped, 2, 0.2, 0.2) != once


@given(some.lists(some.integers(1, 5), min_size=3, max_size=30), some.integers(0, 99), some.randoms())
def test_the_names_of_the_groups_make_no_difference(sizes, seed, draw):
    names = draw.sample(range(1000), len(sizes))
    rows = iter(range(200))
    parts = [[next(rows) for _row in range(size)] for size in sizes]
    plain = splitting.split(dict(enumerate(parts)), seed, 0.2, 0.2)
    assert splitting.split(dict(zip(names, parts, strict=True)), seed, 0.2, 0.2) == plain


def example(section, pk=0):
    return SimpleNamespace(section_id=section, pk=pk)


def test_with_few_files_each_heading_is_kept_together():
    parents = {1: None, 2: 1, 3: 1}
    keys = splitting.section_keys([example(1), example(2), example(3), example(2)], parents)
    assert len(set(keys)) == 3 and keys[1] == keys[3]


def test_with_six_files_each_file_is_kept_together():
    parents = dict.fromkeys(range(1, 7)) | {10 + root: root for root in range(1, 7)} | {21: 11}
    rows = [example(section) for section in [*range(1, 7), *range(11, 17), 21]]
    keys = splitting.section_keys(rows, parents)
    assert len(set(keys)) == 6
    assert keys[0] == keys[6] == keys[12]


def test_examples_of_no_section_stand_alone():
    keys = splitting.section_keys([example(None, pk=1), example(None, pk=2)], {})
    assert len(set(keys)) == 2


def test_fewer_than_ten_to_train_on_is_refused_with_the_count():
    with pytest.raises(Refused, match="9 examples would train, and providers want at least 10"):
        check_enough(dict.fromkeys(range(9), "train") | dict.fromkeys(range(9, 30), "test"))
    check_enough(dict.fromkeys(range(10), "train"))
