"""Asking an assistant takes the right to chat; seeing it does not give that."""

import pytest
from django.contrib.auth.models import Permission

from accounts.tokens import make_token
from courses.models import CourseUserPermission
from tests.doors import api, pages

CHAT = "/api/v1/chat/completions"


@pytest.fixture
def open_one(draft, owner):
    draft.publish(by=owner)
    return draft


def program(person, *scopes):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(person, 1, list(scopes))[1]}")
    return client


def ask(client, assistant, **more):
    body = {"model": assistant.api_name, "messages": [{"role": "user", "content": "What burns?"}]}
    return client.post(CHAT, body | more, format="json")


@pytest.mark.parametrize("stream", [True, False])
def test_a_token_that_may_only_read_sees_it_and_may_not_ask(open_one, owner, there, stream):
    client = program(owner, "read")
    assert client.get(f"/api/assistants/{open_one.pk}/").status_code == 200
    assert client.get(f"/api/v1/models/{open_one.api_name}").status_code == 200
    answer = ask(client, open_one, stream=stream)
    assert answer.status_code == 403 and "error" in answer.json()
    assert not there.asked("POST /chat/completions")


def test_a_token_that_may_chat_asks(open_one, student):
    assert ask(program(student, "chat"), open_one).status_code == 200


def test_who_reads_the_course_without_a_role_sees_no_question_form(open_one, course, stranger, owner):
    reading = Permission.objects.get(codename="read_course")
    CourseUserPermission.objects.create(user=stranger, content_object=course, permission=reading)
    client, where = pages(stranger), f"/assistants/{open_one.pk}/"
    page = client.get(where)
    assert page.status_code == 200 and 'id="ask"' not in page.content.decode()
    assert client.post(f"{where}ask/", {"question": "What burns?"}).status_code == 403
    question = open_one.conversations.create(user=stranger).messages.create(side="asked", text="What burns?")
    assert client.post(f"/messages/{question.pk}/tuned/").status_code == 403
    assert 'id="ask"' in pages(owner).get(where).content.decode()
