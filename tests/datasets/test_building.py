"""Questions and answers cut from Markdown without a model: every answer is a verbatim piece of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datasets.building import LONGEST, SHORTEST, pairs

SENTENCE = "The lamp is lit a quarter of an hour before sunset."
ПРЕДЛОЖЕНИЕ = "Лампу зажигают за четверть часа до заката солнца."


def answers(text, language="en"):
    """{question: answer}, each checked to stand in the text where it says."""
    found = pairs(text, "Course", language)
    for pair in found:
        assert text[pair.start : pair.end] == pair.answer
    return {pair.question: pair.answer for pair in found}


def test_a_heading_asks_about_the_paragraph_under_it():
    assert answers(f"# Lamp\n\n{SENTENCE}\n") == {"What should I know about “Lamp”?": SENTENCE}


def test_only_the_first_paragraph_answers_for_its_heading():
    assert list(answers(f"# Lamp\n\n{SENTENCE}\n\n{SENTENCE} Always.\n").values()) == [SENTENCE]


def test_a_heading_that_is_a_question_is_the_question():
    assert answers(f"## When is the lamp lit?\n\n{SENTENCE}\n") == {"When is the lamp lit?": SENTENCE}


def test_a_text_without_headings_asks_about_its_name():
    assert answers(SENTENCE) == {"What should I know about “Course”?": SENTENCE}


def test_nested_headings_each_ask():
    found = answers(f"# Lamp\n\n{SENTENCE}\n\n## Wick\n\n{SENTENCE}\n\n### Ash\n\n{SENTENCE}\n")
    assert [question.split("“")[1].split("”")[0] for question in found] == ["Lamp", "Wick", "Ash"]


def test_a_heading_with_nothing_under_it_asks_nothing():
    assert answers("# Lamp\n\n## Wick\n") == {}


@pytest.mark.parametrize(
    "block",
    [
        "**Burner**: {0}", "**Burner:** {0}", "**Burner** — {0}", "**Burner** – {0}", "**Burner** - {0}",
        "**Burner**. {0}", "**Burner.** {0}", "- **Burner**: {0}", "* **Burner** — {0}", "+ **Burner:** {0}",
    ],
)  # fmt: skip
def test_a_definition_asks_for_its_term(block):
    body = "the brass head that carries the four wicks"
    found = pairs("# Lamp\n\n" + block.format(body), "Course", "en")
    assert [(pair.question, pair.answer) for pair in found] == [("What is “Burner”?", body)]


def test_a_list_of_definitions_falls_apart_into_its_items():
    text = "# Lamp\n\n- **Burner**: the head that carries the wicks.\n- **Chimney**: the glass over the burner.\n"
    assert answers(text) == {
        "What is “Burner”?": "the head that carries the wicks.",
        "What does “Chimney” mean?": "the glass over the burner.",
    }


def test_a_definition_over_several_lines_is_answered_whole():
    body = "the brass head\nthat carries the four wicks"
    assert list(answers(f"# Lamp\n\n**Burner**: {body}\n").values()) == [body]


def test_definitions_leave_the_heading_its_paragraph():
    text = f"# Lamp\n\n**Burner**: the head that carries the wicks.\n\n{SENTENCE}\n"
    assert list(answers(text).values()) == ["the head that carries the wicks.", SENTENCE]


def test_a_list_is_answered_with_its_lead_in():
    text = "# Lamp\n\nEach morning:\n\n- wipe the glass\n- fill the oil\n1. cut the wick\n"
    (answer,) = answers(text).values()
    assert answer == "Each morning:\n\n- wipe the glass\n- fill the oil\n1. cut the wick"


def test_a_list_right_under_its_lead_in_is_asked_as_a_list():
    text = "# Lamp\n\nEach morning one does this:\n- wipe the glass\n- fill the oil\n"
    assert answers(text) == {
        "Take me through “Lamp” point by point.": "Each morning one does this:\n- wipe the glass\n- fill the oil"
    }


def test_a_lead_in_without_a_list_says_nothing():
    assert answers("# Lamp\n\nEach morning one does this:\n") == {}


@pytest.mark.parametrize("fence", ["```", "~~~", "```python", "````"])
def test_nothing_comes_from_fenced_code(fence):
    end = fence.rstrip("python")
    code = f"**Burner**: print('the head of the lamp')\n\n# Wick\n\n{SENTENCE}\n\n- a\n- b"
    assert answers(f"# Lamp\n\n{fence}\n{code}\n{end}\n") == {}
    assert list(answers(f"# Lamp\n\n{fence}\n{code}\n{end}\n\n{SENTENCE}\n").values()) == [SENTENCE]
    assert list(answers(f"# Lamp\n\n{SENTENCE}\n{fence}\n{code}\n{end}\n").values()) == [SENTENCE]


def test_a_lead_in_and_its_list_are_not_joined_over_code():
    assert answers("# Lamp\n\nDo this:\n\n```\nlight(lamp)\n```\n\n- wipe the glass and the brass\n") != {
        "Take me through “Lamp” point by point.": "Do this:\n\n```\nlight(lamp)\n```\n\n- wipe the glass and the brass"
    }


def test_what_is_too_short_or_too_long_is_left_out():
    assert answers("# Lamp\n\nIt burns.\n") == {}
    assert answers("# Lamp\n\n" + "word " * 500 + "\n") == {}
    assert answers("# Lamp\n\n**Burner**: short\n") == {}


def test_russian_is_asked_in_russian():
    text = (
        f"# Лампа\n\n{ПРЕДЛОЖЕНИЕ}\n\n- **Горелка** — латунная головка с четырьмя фитилями.\n"
        f"\n## Когда её гасят?\n\n{ПРЕДЛОЖЕНИЕ}\n"
    )
    assert answers(text, "ru") == {
        "Что нужно знать о теме «Лампа»?": ПРЕДЛОЖЕНИЕ,
        "Что значит «Горелка»?": "латунная головка с четырьмя фитилями.",
        "Когда её гасят?": ПРЕДЛОЖЕНИЕ,
    }


def test_a_language_without_questions_of_its_own_is_asked_in_english():
    assert list(answers(f"# Lampe\n\n{SENTENCE}", "de")) == ["What should I know about “Lampe”?"]


def test_braces_and_percents_in_a_heading_are_only_letters():
    assert list(answers(f"# {{0}} %s {{x.__class__}}\n\n{SENTENCE}\n")) == [
        "What should I know about “{0} %s {x.__class__}”?"
    ]


def test_separators_that_are_no_line_ends_stay_in_the_answer():
    sentence = "One part\u2028and another part\u0085of one line."
    assert list(answers(f"# Lamp\n\n{sentence}\n").values()) == [sentence]


PIECES = some.sampled_from(
    ["# A", "## B?", "", "", SENTENCE, "- **T**: what it is and what it does", "**D** — a thing that one needs",
     "Lead in:", "- an item of the list", "1. another item of it", "```", "~~~", "  ", "\u2028",
     "> a quotation of some length"]
)  # fmt: skip


@given(some.lists(PIECES, max_size=25).map("\n".join), some.sampled_from(["en", "ru"]))
def test_every_answer_of_any_text_is_verbatim_and_of_good_length(text, language):
    place = -1
    for pair in pairs(text, "Course", language):
        assert text[pair.start : pair.end] == pair.answer
        assert SHORTEST <= len(pair.answer) <= LONGEST
        assert "```" not in pair.answer and "~~~" not in pair.answer
        assert pair.start > place, "in the order of the text"
        place = pair.start
