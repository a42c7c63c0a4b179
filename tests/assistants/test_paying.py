"""An answer is paid from the course's budget: its most is held before it is asked for, what was used is settled."""

import json
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from accounts.tokens import make_token
from assistants.models import Conversation, Message
from assistants.paying import PREFACE, Used, most_asked
from common.tokens import count_messages
from providers.models import Budget, LedgerEntry
from tests import factories
from tests.assistants.streams import api_stream, page_stream
from tests.assistants.test_chat_page import SCRIPT, ask, asked
from tests.assistants.test_protocol import CHAT, complete, error_of, events
from tests.common.crowd import at_once

PRICE = Decimal(3) / 1_000_000


def limit(course, money):
    Budget.objects.filter(course=course).update(limit=Decimal(money))


def held(course):
    return Budget.objects.get(course=course).held


def chats():
    return list(LedgerEntry.objects.filter(purpose="chat"))


def most_of(there):
    """What the last request that reached the provider could have cost."""
    body = json.loads(there.asked("POST /chat/completions")[-1]["body"])
    return (
        sum(len(each["content"].encode()) + 16 for each in body["messages"]) + PREFACE + body["max_tokens"]
    ) * PRICE


@pytest.mark.django_db(transaction=True)
def test_the_most_is_held_while_the_answer_comes_and_what_was_used_after(draft, owner, course, there):
    seen = []
    there.reply = lambda model, messages: seen.append(held(course)) or "Rape oil."
    assert complete(owner, draft, max_tokens=50).status_code == 200
    assert seen == [most_of(there)]
    (entry,) = chats()
    assert (entry.estimate, entry.reserved, entry.settled) == (most_of(there), 0, held(course))
    assert 0 < entry.settled < entry.estimate


def test_no_tokeniser_counts_more_than_what_is_held(draft):
    for text in (
        "",
        "oil",
        "Маяк зажигают за четверть часа до захода солнца.",
        "🕯️" * 50,
        "\ud800",
        "<|endoftext|>" * 9,
    ):
        messages = [{"role": "user", "content": text}] * 3
        assert count_messages(messages) <= most_asked(draft.base, messages)
    assert most_asked(draft.base, [{"role": "user", "content": "x" * 100_000}]) == draft.base.context_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_a_program_over_the_budget_gets_openais_429_and_nothing_is_asked(
    draft, student, owner, course, there, stream
):
    draft.publish(by=owner)
    limit(course, "0.001")
    answer = complete(student, draft, stream=stream)
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == (
        429,
        "insufficient_quota",
        "budget_exceeded",
    )
    assert "owner or staff can raise the budget" in error["message"] and answer["x-should-retry"] == "false"
    assert not there.requests and not chats() and not held(course)


def test_a_course_without_a_budget_chats_with_free_models_only(draft, assistant, owner):
    Budget.objects.all().delete()
    assert complete(owner, draft).status_code == 429
    assert complete(owner, assistant, max_tokens=4).status_code == 200


@pytest.mark.parametrize("headers", [{}, SCRIPT])
def test_on_the_page_the_form_says_so_and_the_question_is_not_kept(draft, owner, course, there, headers):
    limit(course, "0.002")  # one answer of the two
    answer = ask(owner, draft, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 400 and 'class="note error"' in page
    assert "no room for another answer" in page
    assert not Message.objects.exists() and not Conversation.objects.exists() and not there.requests


def test_money_that_goes_between_question_and_answer_is_told_in_its_place(draft, owner, course, there):
    question = asked(owner, draft)
    limit(course, "0.001")
    answer, pieces = page_stream(owner, f"/messages/{question.pk}/tuned/")
    assert answer.status_code == 200
    assert "over what this course may still spend" in b"".join(pieces).decode()
    assert not there.requests and not chats() and not held(course)


def test_both_answers_on_the_page_are_settled(draft, owner, course):
    ask(owner, draft)
    assert [entry.settled for entry in chats()] == [Decimal("0.000054")] * 2
    assert held(course) == Decimal("0.000108")


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 500}, {"status": 401}, {"status": 400}])
@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_fails_gives_the_money_back(draft, owner, course, there, fault, stream):
    there.when("POST /chat/completions", **fault)
    if stream:
        assert "error" in events(owner, draft)[-1]
    else:
        assert complete(owner, draft).status_code in (400, 424)
    (entry,) = chats()
    assert (entry.reserved, entry.settled, entry.tokens, held(course)) == (0, 0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_program_that_leaves_early_pays_for_what_it_was_told(draft, owner, course, there):
    there.pace, there.reply = 0.05, lambda model, messages: "word " * 40
    secret = make_token(owner, 1)[1]

    @async_to_sync
    async def leave():
        body = {
            "model": draft.api_name,
            "messages": [{"role": "user", "content": "What burns?"}],
            "stream": True,
        }
        answer = await AsyncClient().post(
            CHAT, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
        )
        pieces = answer.streaming_content.__aiter__()
        for _turn in range(4):
            await anext(pieces)
        await pieces.aclose()
        await sync_to_async(answer.close)()

    leave()
    (entry,) = chats()
    assert entry.reserved == 0 and 0 < entry.settled < entry.estimate
    assert held(course) == entry.settled


@pytest.mark.django_db(transaction=True)
def test_a_response_that_nobody_reads_gives_the_money_back(draft, owner, course, there, monkeypatch):
    secret = make_token(owner, 1)[1]

    @async_to_sync
    async def post():
        body = {"model": draft.api_name, "messages": [{"role": "user", "content": "x"}], "stream": True}
        return await AsyncClient().post(
            CHAT, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
        )

    answer = post()
    assert isinstance(answer, StreamingHttpResponse) and held(course) > 0
    answer.close()
    (entry,) = chats()
    assert (entry.reserved, entry.settled, held(course)) == (0, 0, 0) and not there.requests


def test_usage_that_is_no_count_is_not_believed():
    class Told:
        def __init__(self, asked, told):
            self.prompt_tokens, self.completion_tokens = asked, told

    for asked_, told in [(-1, 5), (5, -1), (None, 5), ("5", 5), (10**30, 5), (True, 5), (float("nan"), 5)]:
        assert Used.by(Told(asked_, told)) is None
    assert Used.by(Told(7, 5)) == Used(7, 5)


def test_a_provider_that_lies_about_the_usage_is_billed_by_our_own_count(draft, owner, course, there):
    there.usage = {"prompt_tokens": -5, "completion_tokens": 10**12, "total_tokens": 0}
    assert complete(owner, draft).status_code == 200
    (entry,) = chats()
    assert 0 < entry.settled < entry.estimate


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_no_more_are_answered_than_there_is_money_for(draft, owner, course, there):
    draft.publish(by=owner)
    there.pace = 0.3
    complete(owner, draft, max_tokens=20)
    most, before = most_of(there), held(course)
    limit(course, before + most * 4)
    room = (Budget.objects.get(course=course).limit - before) // most
    body = {
        "model": draft.api_name,
        "messages": [{"role": "user", "content": "When is the lamp lit?"}],
        "max_tokens": 20,
    }

    def one():
        answer, _pieces = api_stream(owner, CHAT, {**body, "stream": True})
        return answer.status_code

    told = at_once(8, one)
    assert set(told) == {200, 429} and told.count(200) >= room > 1
    assert held(course) <= Budget.objects.get(course=course).limit


def queries(call):
    with CaptureQueriesContext(connection) as seen:
        call()
    return [each["sql"] for each in seen if "SAVEPOINT" not in each["sql"]]


def test_a_free_model_is_asked_by_as_few_queries_as_ever_and_none_looks_at_a_budget(assistant, student):
    factories.make_budget(course=assistant.course)
    for most, asking in [
        (10, lambda: complete(student, assistant, max_tokens=2)),
        (33, lambda: ask(student, assistant)),
        (18, lambda: ask(student, assistant, headers=SCRIPT)),
    ]:
        told = queries(asking)
        assert len(told) <= most and not any("providers_budget" in sql for sql in told)
