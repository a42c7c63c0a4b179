"""Chatting on the page: with a script and without, and what becomes of the answers."""

from decimal import Decimal

import pytest

from assistants.models import Conversation, Message
from providers.models import LedgerEntry
from tests.assistants.streams import page_stream
from tests.doors import pages

QUESTION = "When is the lamp lit?"
EVIL = "<script>alert(1)</script>"
SCRIPT = {"X-Requested-With": "chat"}


def ask(person, assistant, question=QUESTION, **more):
    headers = more.pop("headers", {})
    return pages(person).post(
        f"/assistants/{assistant.pk}/ask/", {"question": question, **more}, headers=headers
    )


def asked(person, assistant, question=QUESTION, **more):
    """The question, put by a script that has not yet asked for its answers."""
    assert ask(person, assistant, question, headers=SCRIPT, **more).status_code == 200
    return Message.objects.filter(side="asked").last()


def test_without_a_script_both_answers_are_awaited_and_kept(assistant, student):
    answer = ask(student, assistant)
    conversation = Conversation.objects.get()
    assert answer["Location"] == f"/assistants/{assistant.pk}/?conversation={conversation.pk}#end"
    assert [message.side for message in conversation.messages.all()] == ["asked", "tuned", "base"]
    question, *answers = conversation.messages.all()
    assert question.text == QUESTION
    for each in answers:
        assert each.text and each.prompt_tokens > 0 and each.answer_tokens > 0 and each.milliseconds > 0
    page = pages(student).get(answer["Location"]).content.decode()
    assert QUESTION in page and page.count('class="side') == 2


def test_a_script_is_told_where_the_answers_stream(assistant, student):
    answer = ask(student, assistant, headers=SCRIPT)
    part, question = answer.content.decode(), Message.objects.get()
    assert answer.status_code == 200 and "<html" not in part
    assert f'data-conversation="{question.conversation_id}"' in part
    for side in ("tuned", "base"):
        assert f'data-answer="/messages/{question.pk}/{side}/"' in part


@pytest.mark.parametrize("side", ["tuned", "base"])
def test_an_answer_streams_as_plain_text_and_is_kept(assistant, student, side):
    question = asked(student, assistant)
    answer, pieces = page_stream(student, f"/messages/{question.pk}/{side}/")
    assert answer.status_code == 200 and answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Accel-Buffering"] == "no"
    kept = Message.objects.get(side=side)
    assert len(pieces) > 1 and b"".join(pieces).decode().replace("\x00", "") == kept.text
    assert kept.answer_tokens > 0 and kept.milliseconds > 0


@pytest.mark.parametrize(("side", "name"), [("tuned", "ft:tiny:course"), ("base", "tiny")])
def test_each_side_is_asked_by_its_name_with_the_instructions_in_front(draft, owner, there, side, name):
    question = asked(owner, draft)
    _answer, pieces = page_stream(owner, f"/messages/{question.pk}/{side}/")
    assert b"".join(pieces) == f"{name} answers.".encode()
    (request,) = there.asked("POST /chat/completions")
    assert f'"model":"{name}"' in request["body"].decode()
    assert draft.instructions in request["body"].decode()


def test_what_was_said_before_is_remembered_on_each_side_alone(draft, owner, there):
    told = []
    there.reply = lambda model, messages: told.append((model, messages)) or f"{model} says {len(told)}."
    ask(owner, draft, "One?")
    ask(owner, draft, "Two?")
    by_side = {model: [each["content"] for each in messages[1:]] for model, messages in told[2:]}
    assert by_side == {
        "ft:tiny:course": ["One?", "ft:tiny:course says 1.", "Two?"],
        "tiny": ["One?", "tiny says 2.", "Two?"],
    }


def test_a_new_conversation_remembers_nothing(draft, owner, there):
    ask(owner, draft, "One?")
    ask(owner, draft, "Two?", conversation="new")
    assert Conversation.objects.count() == 2
    assert b"One?" not in there.asked("POST /chat/completions")[-1]["body"]


@pytest.mark.parametrize("question", ["", "   ", "\x00", "x" * 8001])
def test_a_question_that_is_empty_or_too_long_is_400(draft, owner, question):
    answer = ask(owner, draft, question)
    assert answer.status_code == 400 and 'role="alert"' in answer.content.decode()
    assert not Message.objects.exists() and not Conversation.objects.exists()


def test_the_conversation_of_another_is_not_found(draft, owner, editor):
    ask(owner, draft)
    theirs = Conversation.objects.get()
    assert ask(editor, draft, conversation=theirs.pk).status_code == 404
    where = f"/assistants/{draft.pk}/"
    assert pages(editor).get(f"{where}?conversation={theirs.pk}").status_code == 404
    assert QUESTION not in pages(editor).get(where).content.decode()
    assert QUESTION in pages(owner).get(where).content.decode()


@pytest.mark.parametrize("number", ["999999", "9" * 30, "9" * 5000, "٣٣٣٣"])
def test_a_conversation_that_is_not_there_is_not_found(draft, owner, number):
    assert pages(owner).get(f"/assistants/{draft.pk}/?conversation={number}").status_code == 404
    assert ask(owner, draft, conversation=number).status_code == 404


def test_the_question_of_another_is_not_answered(draft, owner, editor, there):
    question = asked(owner, draft)
    for side in ("tuned", "base"):
        assert pages(editor).post(f"/messages/{question.pk}/{side}/").status_code == 404
    assert not there.asked("POST /chat/completions")


def test_who_has_lost_the_course_gets_no_more_answers(assistant, owner, student, course):
    question = asked(student, assistant)
    course.memberships.get(user=student).delete()
    assistant.withdraw(by=owner)
    assert pages(student).post(f"/messages/{question.pk}/tuned/").status_code == 404
    assert ask(student, assistant).status_code == 404


@pytest.mark.parametrize("where", ["/messages/{}/tuned/", "/assistants/{}/ask/"])
def test_asking_is_no_link(owner, where):
    assert pages(owner).get(where.format(1)).status_code == 405


def test_an_answer_is_no_question(draft, owner):
    ask(owner, draft)
    answer = Message.objects.get(side="tuned")
    assert pages(owner).post(f"/messages/{answer.pk}/base/").status_code == 404


def test_an_engine_that_is_down_is_told_on_the_page(silent, owner):
    where = ask(owner, silent)["Location"]
    question = asked(owner, silent)
    answer, pieces = page_stream(owner, f"/messages/{question.pk}/tuned/")
    assert answer.status_code == 200
    assert "The model did not answer: The provider cannot be reached." in b"".join(pieces).decode()
    assert QUESTION in pages(owner).get(where).content.decode()
    assert set(Message.objects.values_list("side", flat=True)) == {"asked"}


def test_the_problem_is_a_message_on_the_next_page(draft, owner, there):
    there.when("POST /chat/completions", times=2, status=503, error={"message": "The oil is out."})
    browser = pages(owner)
    page = browser.post(f"/assistants/{draft.pk}/ask/", {"question": QUESTION}, follow=True).content.decode()
    assert page.count("The model did not answer: The oil is out.") == 2


def test_what_an_answer_cost_is_in_the_ledger(draft, owner):
    ask(owner, draft)
    entries = LedgerEntry.objects.filter(purpose="chat")
    assert [(entry.tokens, entry.settled, entry.by) for entry in entries] == [
        (18, Decimal("0.000054"), owner)
    ] * 2
    assert set(Message.objects.exclude(side="asked").values_list("cost", flat=True)) == {Decimal("0.000054")}


@pytest.mark.parametrize("status", [429, 401, 400])
def test_an_answer_that_was_refused_costs_nothing(draft, owner, there, status):
    there.when("POST /chat/completions", times=2, status=status)
    assert ask(owner, draft).status_code == 302
    entries = LedgerEntry.objects.filter(purpose="chat")
    assert [(entry.reserved, entry.settled, entry.tokens) for entry in entries] == [(0, 0, 0)] * 2


def test_words_of_either_are_only_words_and_hold_no_nul(draft, owner, there):
    there.reply = lambda model, messages: f"{EVIL}\x00"
    ask(owner, draft, f"{EVIL}?")
    page = pages(owner).get(f"/assistants/{draft.pk}/").content.decode()
    assert EVIL not in page and page.count("&lt;script&gt;alert(1)") == 3
    assert not any("\x00" in message.text for message in Message.objects.all())
