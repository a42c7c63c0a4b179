"""An example is written, changed, approved, rejected, removed; each decision leaves its trace."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry
from common.states import IllegalMove
from common.tokens import count_messages
from datasets.models import Example
from tests import factories
from tests.common.crowd import at_once

CHAT = factories.chat("When is the lamp lit?", "Before sunset.")
HOSTILE = [
    None, [], {}, "hello", [1], [{}], [{"role": "user", "content": "x"}],
    factories.chat("a\x00b", "x"), factories.chat("a\ud800b", "x"), factories.chat("", "x"), factories.chat("x", " "),
    [*CHAT, {"role": "owner", "content": "x"}], factories.chat("x", 7),
    [*CHAT, {"role": "assistant", "content": "x", "tool_calls": [{"a\x00": 1}]}],
    [CHAT[0], {"role": "assistant", "content": "x", "name": "a b"}],
]  # fmt: skip


@pytest.fixture
def dataset(course):
    return factories.make_dataset(course=course, instructions="Be brief.")


@pytest.fixture
def draft(dataset, editor):
    return dataset.write(CHAT, by=editor)


def test_what_is_written_is_a_draft_of_its_writer(dataset, draft, editor):
    assert (draft.state, draft.origin, draft.written_by, draft.dataset) == (
        "draft",
        "written",
        editor,
        dataset,
    )
    assert (draft.question, draft.answer) == ("When is the lamp lit?", "Before sunset.")
    assert draft.tokens == count_messages(CHAT)
    assert AuditEntry.objects.get(action="example.write").actor == editor


@pytest.mark.parametrize("messages", HOSTILE, ids=lambda value: ascii(value)[:50])
def test_what_is_no_conversation_is_neither_written_nor_taken_as_a_change(dataset, draft, messages):
    with pytest.raises(ValidationError):
        dataset.write(messages)
    with pytest.raises(ValidationError):
        draft.rewrite(messages)
    assert Example.objects.get().messages == CHAT


def test_the_same_words_stand_in_a_data_set_once(dataset, draft):
    with pytest.raises(ValidationError, match="already"):
        dataset.write(CHAT)
    other = dataset.write(factories.chat("Another?", "Other."))
    with pytest.raises(ValidationError, match="already"):
        other.rewrite(CHAT)
    assert factories.make_dataset(course=dataset.course).write(CHAT).pk


@pytest.mark.django_db(transaction=True)
def test_the_same_words_written_four_times_at_once_are_one_example():
    dataset = factories.make_dataset()

    def write():
        try:
            return dataset.write(CHAT).pk and "written"
        except ValidationError:
            return "refused"

    assert sorted(at_once(4, write)) == ["refused"] * 3 + ["written"]


def test_approved_words_that_change_are_a_draft_again(draft, reviewer, editor):
    draft.approve(by=reviewer)
    draft.rewrite(factories.chat("When is it lit?", "A quarter of an hour before sunset."), by=editor)
    draft = Example.objects.get(pk=draft.pk)
    assert (draft.state, draft.question) == ("draft", "When is it lit?")
    assert draft.tokens == count_messages(draft.messages)
    assert [(review.person, review.decision) for review in draft.reviews.all()] == [
        (editor, "draft"), (reviewer, "approved"),
    ]  # fmt: skip


def test_changing_a_draft_needs_no_review(draft):
    draft.rewrite(factories.chat("When?", "Then."))
    assert not draft.reviews.exists()


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (["approve"], "approved"),
        (["reject"], "rejected"),
        (["approve", "reject"], "rejected"),
        (["reject", "approve"], "approved"),
    ],
)
def test_a_decision_may_be_turned_round(draft, reviewer, steps, state):
    for step in steps:
        getattr(draft, step)(by=reviewer, note=f"I {step}")
    assert Example.objects.get(pk=draft.pk).state == state
    assert [review.note for review in draft.reviews.order_by("pk")] == [f"I {step}" for step in steps]


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_the_same_decision_twice_is_refused(draft, reviewer, verb):
    getattr(draft, verb)(by=reviewer)
    with pytest.raises(IllegalMove):
        getattr(draft, verb)(by=reviewer)
    assert draft.reviews.count() == 1


def test_a_note_without_end_is_cut(draft, reviewer):
    draft.approve(by=reviewer, note="x" * 5000)
    assert len(draft.reviews.get().note) == 2000


def test_what_is_removed_is_gone_with_its_citations_and_on_the_audit_trail(full_course, editor):
    dataset = factories.make_dataset(course=full_course)
    dataset.build()
    example = dataset.examples.first()
    pk = example.pk
    example.remove(by=editor)
    assert not Example.objects.filter(pk=pk).exists()
    entry = AuditEntry.objects.get(action="example.remove")
    assert (entry.actor, entry.object_id, entry.course_id) == (editor, str(pk), full_course.pk)


def test_the_line_of_an_example_begins_with_the_instructions(draft):
    assert draft.line("Be brief.").startswith('{"messages": [{"role": "system", "content": "Be brief."}, ')
    assert draft.line() == '{"messages": [{"role": "user", "content": "When is the lamp lit?"}, ' + (
        '{"role": "assistant", "content": "Before sunset."}]}'
    )


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_of_its_own_stay(dataset, role):
    own = dataset.write([{"role": role, "content": "Be long."}, *CHAT])
    assert own.with_instructions("Be brief.") == own.messages


def test_only_a_known_state_filters(dataset, draft):
    rejected = factories.make_example(dataset=dataset, state="rejected")
    assert list(dataset.examples.in_state("rejected")) == [rejected]
    for nonsense in ("", None, "every", "draft'--"):
        assert dataset.examples.in_state(nonsense).count() == 2
