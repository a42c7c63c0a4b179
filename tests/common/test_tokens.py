"""Token counts are those of o200k_base, whatever the text says."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.tokens import count, count_messages, encoding, text_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hello world", 2),
        ("The lamp is lit before sunset.", 7),
        ("Привет, мир!", 5),
        ("<|endoftext|>", 7),
        ("a" * 1000, 125),
        ("\u200b", 1),
        ("🙂", 1),
    ],
)
def test_known_texts_have_known_counts(text, tokens):
    assert count(text) == tokens


@given(some.text())
def test_the_tokens_of_any_text_give_it_back(text):
    assert encoding().decode(encoding().encode_ordinary(text)) == text


@pytest.mark.parametrize("blank", [" ", "\u00a0"])
def test_a_gap_without_end_is_counted_and_breaks_nothing(blank):
    gap = blank * 1_000_000
    assert count(f"a{gap}b") == pytest.approx(len(gap) / 10_000 * count(gap[:10_000]), rel=0.02)


def test_a_message_costs_three_tokens_more_than_its_words_and_the_reply_three():
    messages = [{"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hello"}]
    assert count_messages(messages) == 3 + (3 + 1 + 2) + (3 + 1 + 1)


def test_a_name_costs_one_more():
    plain = [{"role": "user", "content": "hello"}]
    assert count_messages([{**plain[0], "name": "ann"}]) == count_messages(plain) + 1 + count("ann")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "as it is"}, "as it is"),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]}, "in parts"),
        ({"content": ["no part", {"type": "image_url"}]}, ""),
    ],
)
def test_the_text_of_a_message_in_any_shape(message, text):
    assert text_of(message) == text
