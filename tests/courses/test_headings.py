"""Headings of a Markdown text, with offsets that give back what stands under them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from courses.sectioning import headings


def under(text, title="lamp"):
    """{heading: what stands under it}"""
    return {cut.title: text[cut.start : cut.end].strip() for cut in headings(text, title)}


def titles(text):
    return [(cut.level, cut.title) for cut in headings(text, "lamp")]


def test_each_heading_holds_what_stands_under_it_up_to_the_next():
    text = "Before.\n# Lamp\nIt burns.\n## Wick\nIt is cut.\n# Lens\nIt turns.\n"
    assert under(text) == {
        "lamp": "Before.", "Lamp": "It burns.", "Wick": "It is cut.", "Lens": "It turns."
    }  # fmt: skip
    assert titles(text) == [(1, "lamp"), (1, "Lamp"), (2, "Wick"), (1, "Lens")]


def test_a_text_without_headings_stands_under_its_name():
    assert under("It burns.\n") == {"lamp": "It burns."}


def test_the_name_is_not_needed_where_a_heading_comes_first():
    assert titles("\n\n# Lamp\nIt burns.") == [(1, "Lamp")]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# Lamp", "Lamp"),
        ("###### Lamp", "Lamp"),
        ("   # Lamp", "Lamp"),
        ("#\tLamp", "Lamp"),
        ("## Lamp ##", "Lamp"),
        ("## Lamp ######  ", "Lamp"),
        ("# Programming in C#", "Programming in C#"),
        ("# Лампа и **стекло**", "Лампа и **стекло**"),
        ("# one\u2028two\u0085three", "one\u2028two\u0085three"),
        ("# " + "x" * 300, "x" * 200),
    ],
)
def test_a_heading_in_any_dress(line, title):
    assert titles(f"{line}\nIt burns.") == [(line.strip().split()[0].count("#"), title)]


@pytest.mark.parametrize(
    "line", ["#Lamp", "####### Lamp", "    # Lamp", "\\# Lamp", "#", "# ", "a # Lamp", "+# Lamp"]
)
def test_what_only_looks_like_a_heading(line):
    assert titles(f"{line}\nIt burns.") == [(1, "lamp")]


@pytest.mark.parametrize(
    "fence",
    [
        ("```", "```"), ("~~~", "~~~"), ("```python", "```"), ("  ```", "```"), ("````", "````"),
        ("```", "`````"), ("~~~ text `x`", "~~~~"),
    ],
)  # fmt: skip
def test_a_heading_in_a_fence_is_none(fence):
    text = f"# Lamp\n{fence[0]}\n# a comment\n{fence[1]}\n# Lens\nIt turns."
    assert titles(text) == [(1, "Lamp"), (1, "Lens")]


@pytest.mark.parametrize("inner", ["~~~", "```", "```` x", "    ````"])
def test_a_fence_ends_only_where_its_own_kind_and_length_stands(inner):
    text = f"# Lamp\n````\n{inner}\n# a comment\n````\n# Lens\nIt turns."
    assert titles(text) == [(1, "Lamp"), (1, "Lens")]


def test_code_within_a_line_opens_no_fence():
    assert titles("# Lamp\n``` x ``` is code\n# Lens\nIt turns.") == [(1, "Lamp"), (1, "Lens")]


def test_a_fence_that_is_never_closed_reaches_to_the_end():
    assert titles("# Lamp\n```\n# a comment\n# another\n") == [(1, "Lamp")]


LINES = some.sampled_from(
    [
        "# A",
        "## B",
        "### C ##",
        "text",
        "",
        "  ",
        "```",
        "~~~",
        "````",
        "\t",
        "> q",
        "- **T**: d",
        "#",
        "\u2028x",
    ]
)


@given(some.lists(LINES | some.text("ab #`~\u0085\u2028🙂", max_size=12), max_size=30).map("\n".join))
def test_the_parts_follow_one_another_and_leave_nothing_out_but_headings(text):
    cuts = headings(text, "lamp")
    place = 0
    for cut in cuts:
        assert cut.start <= cut.end
        between = text[place : cut.start]
        assert not between.strip() or between.lstrip().startswith("#")
        place = cut.end
    assert place == len(text)


@pytest.mark.parametrize(
    "line",
    [
        "# a" + " " * 20_000 + "b",
        "# " + "# " * 20_000 + "b",
        "# a" + " #" * 20_000 + " b",
        "#" * 50_000,
        "`" * 50_000,
        "# " + "x" * 1_000_000,
    ],
    ids=["spaces", "marks", "marks at the end", "only marks", "only ticks", "a megabyte"],
)
def test_a_hostile_line_takes_no_time(line):
    begun = time.process_time()
    headings(f"{line}\nIt burns.", "lamp")
    assert time.process_time() - begun < 1
