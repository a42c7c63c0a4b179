"""Chat completions and the list of models, as any OpenAI client calls them."""

import json
from decimal import Decimal

import pytest

from assistants.models import Message
from assistants.talking import MOST_TOKENS
from providers.models import LedgerEntry
from tests import factories
from tests.assistants.streams import api_stream
from tests.doors import api

CHAT = "/api/v1/chat/completions"
ASK = [{"role": "user", "content": "When is the lamp lit?"}]


def complete(person, assistant, **body):
    name = assistant if isinstance(assistant, str) else assistant.api_name
    return api(person).post(CHAT, {"model": name, "messages": ASK, **body}, format="json")


def error_of(answer):
    """The error, whose shape is that of OpenAI's."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"]
    return error


def events(person, assistant, **body):
    body = {"model": assistant.api_name, "messages": ASK, "stream": True, **body}
    answer, pieces = api_stream(person, CHAT, body)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/event-stream"
    told = [event.removeprefix("data: ") for event in b"".join(pieces).decode().split("\n\n") if event]
    assert told.pop() == "[DONE]"
    return [json.loads(event) for event in told]


def test_a_student_asks_a_published_assistant(assistant, student):
    told = complete(student, assistant, max_tokens=8).json()
    assert (told["object"], told["model"]) == ("chat.completion", assistant.api_name)
    (choice,) = told["choices"]
    assert choice["message"]["role"] == "assistant" and choice["message"]["content"]
    assert choice["finish_reason"] == "length"
    usage = told["usage"]
    assert usage["completion_tokens"] == 8 and usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == 8 + usage["prompt_tokens"]


def test_the_stream_says_the_same_in_pieces(assistant, student):
    whole = complete(student, assistant, max_tokens=12).json()
    told = events(student, assistant, max_tokens=12, stream_options={"include_usage": True})
    assert {event["object"] for event in told} == {"chat.completion.chunk"}
    assert len({event["id"] for event in told}) == 1 and len(told) > 3
    *chunks, last = told
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert last["choices"] == [] and last["usage"] == whole["usage"]


def test_a_stream_tells_no_usage_unless_it_is_asked_for(draft, owner):
    assert not any("usage" in event for event in events(owner, draft))


def test_a_draft_is_no_model_to_a_student_and_none_is_to_a_stranger(draft, owner, editor, student, stranger):
    assert complete(editor, draft).status_code == 200
    for person in (student, stranger):
        assert complete(person, draft).status_code == 404
    draft.publish(by=owner)
    assert complete(student, draft).status_code == 200
    assert complete(stranger, draft).status_code == 404


STRANGE = [
    "gpt-4o", "assistant-", "assistant-0", "assistant--1", "assistant-٣", "assistant-²", "assistant-1.0", "%00",
    "assistant-1e3", "assistant-99999999999999999999", "assistant-assistant-1", "../etc",
]  # fmt: skip


def test_a_name_that_is_no_assistant_is_not_found(draft, owner):
    for name in STRANGE:
        answer = complete(owner, name)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found"), name


@pytest.mark.parametrize("spelling", ["{}", "assistant-0{}", "assistant-+{}", "Assistant-{}"])
def test_an_assistant_has_one_name(draft, owner, there, spelling):
    assert complete(owner, spelling.format(draft.pk)).status_code == 404
    assert not there.requests


def test_digits_of_another_script_are_no_name(draft, owner):
    arabic = str(draft.pk).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert complete(owner, f"assistant-{arabic}").status_code == 404
    assert api(owner).get(f"/api/v1/models/assistant-{arabic}").status_code == 404


WRONG = [
    ("model", None), ("model", []), ("model", {"a": 1}), ("model", ""), ("model", "x" * 101), ("model", "a\x00"),
    ("messages", None), ("messages", []), ("messages", {}), ("messages", "hello"), ("messages", ["hello"]),
    ("messages", [{"role": "user"}]), ("messages", [{"role": "god", "content": "x"}]),
    ("messages", [{"role": "user", "content": {"a": 1}}]), ("messages", [{"role": [], "content": "x"}]),
    ("messages", [{"role": "user", "content": "a\x00b"}]),
    ("stream", "perhaps"), ("stream", []), ("stream_options", "usage"), ("temperature", "hot"), ("temperature", 3),
    ("temperature", "nan"), ("top_p", -1), ("max_tokens", 0), ("max_tokens", 10**30), ("max_tokens", [1]),
    ("stop", 7), ("stop", [1]), ("stop", ["a"] * 5), ("seed", 2**63), ("seed", "x"),
]  # fmt: skip


def test_a_value_of_a_wrong_kind_is_named_and_goes_nowhere(draft, owner, there):
    for field, value in WRONG:
        answer = complete(owner, draft, **{field: value})
        error = error_of(answer)
        told = (answer.status_code, error["param"], error["type"])
        assert told == (400, field, "invalid_request_error"), (field, value)
    assert not there.requests and not LedgerEntry.objects.filter(purpose="chat").exists()


def test_a_body_that_is_no_object_is_400(owner):
    client = api(owner)
    for body in (b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 100_000):
        answer = client.post(CHAT, body, content_type="application/json")
        assert answer.status_code == 400 and error_of(answer), body[:9]


@pytest.mark.parametrize("where", [CHAT, "/api/v1/models", "/api/v1/models/assistant-1"])
def test_without_a_token_nobody_gets_in(draft, where):
    for credentials in ({}, {"HTTP_AUTHORIZATION": "Bearer sk-wrong"}):
        client = api()
        client.credentials(**credentials)
        answer = client.post(where, {}) if where == CHAT else client.get(where)
        assert answer.status_code == 401
        assert error_of(answer)["type"] == "authentication_error"


def test_what_is_passed_on_is_what_was_asked_with_the_instructions_in_front(draft, owner, there):
    complete(owner, draft, max_completion_tokens=5, stop=["\n"], seed=3, user="x", api_key="stolen", n=9)
    (request,) = there.asked("POST /chat/completions")
    body = json.loads(request["body"])
    assert body["model"] == "ft:tiny:course"
    assert body["messages"] == [{"role": "system", "content": factories.INSTRUCTIONS}, *ASK]
    assert (body["max_tokens"], body["stop"], body["seed"], body["temperature"]) == (5, ["\n"], 3, 0)
    assert not {"user", "api_key", "n", "max_completion_tokens"} & set(body)


def test_instructions_of_the_callers_own_take_the_place_of_ours(draft, owner, there):
    own = [{"role": "system", "content": "Be rude."}, *ASK]
    complete(owner, draft, messages=own)
    assert json.loads(there.requests[0]["body"])["messages"] == own


@pytest.mark.parametrize(("limit", "reason"), [({}, "stop"), ({"max_tokens": 7}, "length")])
def test_the_reason_of_the_end_is_told(draft, owner, limit, reason):
    assert complete(owner, draft, **limit).json()["choices"][0]["finish_reason"] == reason
    assert events(owner, draft, **limit)[-1]["choices"][0]["finish_reason"] == reason


def test_without_a_limit_of_its_own_a_call_has_ours(draft, owner, there):
    complete(owner, draft)
    assert json.loads(there.requests[0]["body"])["max_tokens"] == MOST_TOKENS


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_in_the_ledger_and_in_no_conversation(draft, owner, stream):
    events(owner, draft) if stream else complete(owner, draft)
    entry = LedgerEntry.objects.get(purpose="chat")
    assert (entry.tokens, entry.settled, entry.by) == (18, Decimal("0.000054"), owner)
    assert entry.course == draft.course
    assert not Message.objects.exists()


def test_an_engine_that_is_down_is_424_with_an_error_of_openais_shape(silent, owner):
    answer, told = complete(owner, silent), events(owner, silent)
    assert answer.status_code == 424
    error = error_of(answer)
    assert (error["code"], error["message"]) == ("provider_unreachable", "The provider cannot be reached.")
    assert told[-1] == {"error": error}
    entries = LedgerEntry.objects.filter(purpose="chat")
    assert [(entry.reserved, entry.settled, entry.tokens) for entry in entries] == [(0, 0, 0)] * 2


def test_what_the_provider_finds_wrong_with_the_request_is_the_callers_400(draft, owner, there):
    there.when("POST /chat/completions", status=400, error={"message": "Too many messages."})
    answer = complete(owner, draft)
    assert answer.status_code == 400 and "Too many messages." in error_of(answer)["message"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_is_wrong_between_us_and_the_provider_is_424(draft, owner, there, status):
    there.when("POST /chat/completions", status=status, error={"message": "Key sk-secret123 is bad."})
    answer = complete(owner, draft)
    assert answer.status_code == 424 and "sk-secret123" not in error_of(answer)["message"]


def names(person):
    listed = api(person).get("/api/v1/models").json()
    assert listed["object"] == "list"
    return [row["id"] for row in listed["data"]]


def test_each_caller_is_told_the_assistants_that_they_may_ask(
    draft, tuned, owner, reviewer, student, stranger
):
    published = factories.make_assistant(tuned_model=tuned, published=True, by=owner)
    for person in (owner, reviewer):
        assert set(names(person)) == {draft.api_name, published.api_name}
    assert names(student) == [published.api_name]
    assert names(stranger) == []


def test_one_model_is_told_as_the_list_tells_it(draft, owner, student):
    row = api(owner).get(f"/api/v1/models/{draft.api_name}").json()
    assert [row] == api(owner).get("/api/v1/models").json()["data"]
    assert row["owned_by"] == f"course-{draft.course_id}" and row["created"] > 1_700_000_000
    answer = api(student).get(f"/api/v1/models/{draft.api_name}")
    assert answer.status_code == 404 and error_of(answer)["code"] == "model_not_found"
