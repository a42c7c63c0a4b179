"""Passages cover every character that is not blank exactly once, and none is too long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.tokens import count
from courses.sectioning import LONGEST, PASSAGE_TOKENS, headings, paragraphs, passages

WORDS = some.sampled_from(
    [
        "lamp",
        "свет",
        "a",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\n \n",
        "\t",
        "\u2028",
        "\u0085",
        "\u00a0",
        "🙂",
        "# H\n",
        "```\n",
    ]
)
LONG = some.builds(
    str.__mul__,
    some.sampled_from(["x", "word ", "слово", " ", "\n", "a\n", "линия\n\n", "灯"]),
    some.integers(1, 9000),
)


def blank_without(text, spans):
    """What is left of the text when these spans are taken out."""
    left, place = [], 0
    for start, end, *_tokens in spans:
        left.append(text[place:start])
        place = end
    return "".join([*left, text[place:]])


def check(text):
    spans = passages(text, 0, len(text))
    assert not blank_without(text, spans).strip()
    ends = [0, *(place for span in spans for place in span[:2])]
    assert ends == sorted(ends), "they follow one another and do not overlap"
    alone = {(start, end) for start, end in paragraphs(text, 0, len(text))}
    for start, end, tokens in spans:
        assert text[start:end].strip()
        assert tokens == count(text[start:end])
        assert tokens <= PASSAGE_TOKENS or (start, end) in alone
    assert all(end - start <= LONGEST for start, end in alone)


@given(some.lists(WORDS, max_size=60).map("".join))
def test_a_short_text_is_covered_once(text):
    check(text)


@given(some.lists(LONG | WORDS, max_size=4).map("".join))
def test_a_long_text_is_covered_once(text):
    check(text)


@given(some.text(max_size=300))
def test_any_text_is_covered_once(text):
    check(text)


def test_short_paragraphs_are_packed_together_up_to_the_limit():
    text = "\n\n".join(f"Paragraph number {number} of the course." for number in range(200))
    spans = passages(text, 0, len(text))
    assert all(300 < tokens <= PASSAGE_TOKENS for _start, _end, tokens in spans[:-1])
    check(text)


def test_a_run_of_blank_lines_counts_as_well():
    text = ("word" + "\n" * 2000) * 30 + "word"
    check(text)


def test_a_paragraph_is_broken_at_a_space_and_only_where_it_is_too_long():
    text = "word " * 799 + "end."
    assert list(paragraphs(text, 0, len(text))) == [(0, len(text))]
    text = "word " * 2000 + "end."
    pieces = [text[start:end] for start, end in paragraphs(text, 0, len(text))]
    assert len(pieces) == 3
    assert all(piece.startswith("word") and piece.endswith(("word", "end.")) for piece in pieces)


def test_separators_that_are_no_line_ends_stay_inside_a_paragraph():
    text = "one\u2028\u2028two\u0085\u0085three"
    assert list(paragraphs(text, 0, len(text))) == [(0, len(text))]


def test_only_what_stands_between_the_offsets_is_cut():
    text = "# A\nOne.\n# B\nTwo.\n\nThree."
    second = headings(text, "t")[1]
    assert [text[start:end] for start, end in paragraphs(text, second.start, second.end)] == [
        "Two.",
        "Three.",
    ]


@pytest.mark.parametrize(
    "text",
    ["x" * 1024**2, "x\n" * 500_000, " \n" * 500_000, "a \n\n" * 200_000, "\u00a0\n" * 300_000 + "x",
     "灯" * 300_000, "x" + " " * 10**6 + "y", "ab " * 340_000],
    ids=["one word", "one paragraph", "blank", "tiny paragraphs", "hard spaces", "no spaces", "one gap", "one line"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_cut_quickly(text):
    begun = time.process_time()
    passages(text, 0, len(text))
    assert time.process_time() - begun < 10
