"""An answer that is coming ends within two seconds after its reader's access does; what came is charged."""

import time
from threading import Timer

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient

from accounts.models import Token, User
from accounts.tokens import make_token
from assistants.models import Assistant
from courses.models import Course, Membership
from providers.models import LedgerEntry
from tests.doors import api, pages

CHAT = "/api/v1/chat/completions"
ASK = [{"role": "user", "content": "What burns?"}]
PIECES = 60
MOST = 2.0  # seconds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow(draft, owner, there):
    """Published; it would talk for twelve seconds."""
    draft.publish(by=owner)
    there.pace = 0.2
    there.reply = lambda model, messages: "word " * PIECES
    return draft


class Later:
    """Done by another thread half a second from now, with a connection of its own; `ago` is how long since."""

    def __init__(self, act):
        self.act, self.done = act, None
        self.timer = Timer(0.5, self.run)
        self.timer.start()

    def run(self):
        try:
            self.act()
        finally:
            self.done = time.monotonic()
            connection.close()

    def ago(self):
        seen = time.monotonic()
        self.timer.join()
        return seen - self.done


@async_to_sync
async def read(client, where, *body, **more):
    """What was told, to its end."""
    answer = await client.post(where, *body, **more)
    return b"".join([piece async for piece in answer.streaming_content]).decode()


def by_api(person, assistant, **token):
    row, secret = make_token(person, 1, **token)
    body = {"model": assistant.api_name, "messages": ASK, "stream": True}
    headers = {"Authorization": f"Bearer {secret}"}
    return row, lambda: read(AsyncClient(), CHAT, body, content_type="application/json", headers=headers)


def by_page(person, assistant):
    client = AsyncClient()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    question = assistant.conversations.create(user=person).messages.create(side="asked", text="What burns?")
    return client, lambda: read(client, f"/messages/{question.pk}/tuned/")


ENDS = {
    "removed from the course": lambda who, where: Course.objects.get(pk=where.course_id).remove_member(who),
    "inactive": lambda who, where: User.objects.filter(pk=who.pk).update(is_active=False),
    "withdrawn": lambda who, where: Assistant.objects.get(pk=where.pk).withdraw(),
    "forgotten": lambda who, where: User.objects.get(pk=who.pk).forget(),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_programs_stream_ends_with_an_error_event(slow, student, end):
    _row, asking = by_api(student, slow)
    ended = Later(lambda: ENDS[end](student, slow))
    told = asking()
    assert ended.ago() < MOST
    assert 0 < told.count('"word ') < PIECES and "permission_error" in told and "has ended" in told
    if end != "forgotten":
        assert LedgerEntry.objects.filter(purpose="chat", tokens__gt=0).exists()


@pytest.mark.parametrize("end", ["removed from the course", "inactive", "withdrawn"])
def test_a_pages_stream_ends_with_a_sentence(slow, student, end):
    _client, asking = by_page(student, slow)
    ended = Later(lambda: ENDS[end](student, slow))
    told = asking()
    assert ended.ago() < MOST
    assert 0 < told.count("word") < PIECES and "Your access to this assistant has ended" in told
    kept = slow.conversations.get().messages.get(side="tuned")
    assert kept.text and kept.text in told


def test_a_token_that_is_revoked_or_narrowed_reads_no_further(slow, student):
    for change in (
        lambda row: row.delete(),
        lambda row: Token.objects.filter(pk=row.pk).update(scopes=["read"]),
    ):
        row, asking = by_api(student, slow, name="tablet")
        ended = Later(lambda row=row, change=change: change(row))
        assert "has ended" in asking() and ended.ago() < MOST


def test_a_session_that_is_ended_reads_no_further(slow, student):
    client, asking = by_page(student, slow)
    ended = Later(client.session.delete)
    assert "has ended" in asking() and ended.ago() < MOST


def test_a_whole_answer_to_a_program_ends_as_well(slow, student):
    ended = Later(lambda: ENDS["withdrawn"](student, slow))
    answer = api(student).post(CHAT, {"model": slow.api_name, "messages": ASK}, format="json")
    assert ended.ago() < MOST
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")
    assert LedgerEntry.objects.get(purpose="chat").tokens > 0


def test_whole_answers_to_a_page_end_as_well_and_no_second_one_is_asked_for(slow, student, there):
    ended = Later(lambda: ENDS["withdrawn"](student, slow))
    browser = pages(student)
    page = browser.post(f"/assistants/{slow.pk}/ask/", {"question": "What burns?"}, follow=True)
    assert ended.ago() < MOST
    assert page.status_code == 200 and "Your access to this assistant has ended" in page.content.decode()
    assert len(there.asked("POST /chat/completions")) == 1
    assert slow.conversations.get().messages.get(side="tuned").cost > 0


def test_who_may_read_reads_to_the_end(slow, student, there):
    there.pace, there.reply = 0.15, lambda model, messages: "word " * 14
    told = by_api(student, slow)[1]()
    assert told.count('"word ') == 14 and "[DONE]" in told and "error" not in told
    assert Membership.objects.filter(user=student).exists()


def test_a_program_that_leaves_early_is_charged_for_what_came(slow, student):
    @async_to_sync
    async def leave():
        secret = make_token_for(student)
        answer = await AsyncClient().post(
            CHAT, {"model": slow.api_name, "messages": ASK, "stream": True},
            content_type="application/json", headers={"Authorization": f"Bearer {await secret}"},
        )  # fmt: skip
        pieces = answer.streaming_content.__aiter__()
        for _turn in range(4):
            await anext(pieces)
        await pieces.aclose()

    leave()
    assert LedgerEntry.objects.get(purpose="chat").tokens > 0


async def make_token_for(person):
    return (await sync_to_async(make_token)(person, 1))[1]
