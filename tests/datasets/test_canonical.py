"""The written form of an example: the same bytes for the same value, in either database, there and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datasets import formats
from datasets.models import Example
from tests import factories

NUMBERS = some.integers(-(2**70), 2**70) | some.floats(allow_nan=False, allow_infinity=False)
TEXTS = some.text(some.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
VALUES = some.recursive(
    some.none() | some.booleans() | NUMBERS | TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CONTENTS = TEXTS.map(lambda text: f"x{text}")
MESSAGES = some.lists(
    some.fixed_dictionaries(
        {"role": some.sampled_from(["system", "user", "assistant"]), "content": CONTENTS}
    ),
    max_size=4,
).map(lambda chat: [*chat, {"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}])


@given(VALUES)
def test_any_value_is_written_as_json_that_says_the_same(value):
    told, meant = formats.canonical(value), json.dumps(value)
    assert json.loads(told, parse_int=float) == json.loads(meant, parse_int=float)


@given(VALUES)
def test_writing_what_was_read_gives_the_same_bytes(value):
    once = formats.canonical(value)
    assert formats.canonical(json.loads(once)) == once
    assert "\n" not in once and "\r" not in once


@given(some.dictionaries(TEXTS, NUMBERS, max_size=6), some.randoms())
def test_the_order_of_keys_makes_no_difference(value, random):
    keys = list(value)
    random.shuffle(keys)
    assert formats.canonical({key: value[key] for key in keys}) == formats.canonical(value)


def test_role_stands_before_content_and_russian_is_written_as_it_is():
    line = formats.line_of([{"content": "Лампа 🙂\u2028", "role": "user"}], tools=None)
    assert line == '{"messages": [{"role": "user", "content": "Лампа 🙂\u2028"}]}'


def test_whole_numbers_are_written_alike_however_they_came():
    assert formats.canonical([1.0, 1e22, 1e23, -0.0, 0.5]) == (
        "[1, 10000000000000000000000, 100000000000000000000000, 0, 0.5]"
    )


@given(MESSAGES, some.none() | some.lists(some.dictionaries(TEXTS, VALUES, max_size=2), max_size=2))
def test_an_example_that_is_written_and_read_is_the_same_example(messages, tools):
    line = formats.line_of(messages, tools)
    rows, problems = formats.read(f"{line}\n".encode())
    assert problems == []
    assert rows[0].messages == messages
    assert formats.line_of(rows[0].messages, rows[0].tools) == line


@pytest.mark.parametrize(
    "tools",
    [
        [{"b": 1, "a": [1.0, 1e22, 1e23, 1.5e300, 5e-324, 0.1, -0.0, 2**64, 10**30, True, None]}],
        [{"": "", "й": "ё", "Z": 0, "a": 0, "ключ": {"z": 1, "a": 2}}],
        [{"text": 'a"b\\c\u0001\u001f\x7f\u2028\ufeff\U000e0041\u202e<|endoftext|>'}],
        [],
    ],
)
def test_the_database_gives_back_what_writes_the_same_bytes(db, tools):
    dataset = factories.make_dataset()
    written = dataset.write(factories.chat("When?", "Before sunset."), tools=tools)
    kept = Example.objects.get(pk=written.pk)
    assert kept.line() == written.line()
    assert kept.sha256 == formats.digest(formats.line_of(kept.messages, kept.tools))


def test_the_digest_is_that_of_the_utf_8_bytes():
    assert formats.digest("лампа") == formats.digest("лампа".encode())
    assert formats.digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
