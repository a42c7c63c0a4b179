"""The one way out: what a provider does wrong arrives as the right error, after exactly one request."""

import asyncio
import json
import socket
import time
from contextlib import closing

import pytest

from providers import client
from providers.errors import GivenUp, TryAgain, Unclear
from providers.models import Upload
from tests import factories

JOBS = "POST /fine_tuning/jobs"
BODY = {"model": "tiny", "training_file": "file-1", "metadata": {"op": "a"}}


def create(provider):
    return client.create_job(provider, **BODY)


@pytest.mark.parametrize(
    ("order", "error", "code", "text"),
    [
        (
            {"status": 403, "error": {"code": "training_not_available", "message": "Closed."}},
            GivenUp, "training_not_available", "Closed.",
        ),
        ({"status": 400, "error": {"code": "bad_file", "message": "Row 1."}}, GivenUp, "bad_file", "Row 1."),
        ({"status": 401}, GivenUp, "http_401", "no"),
        ({"status": 404}, GivenUp, "http_404", "no"),
        ({"status": 400, "error": {"code": 400}}, GivenUp, "400", "no"),
        ({"status": 429, "headers": {"Retry-After": "1"}}, TryAgain, "rate_limited", "no"),
        ({"status": 429, "error": {"code": "insufficient_quota"}}, TryAgain, "insufficient_quota", "no"),
        ({"status": 500}, Unclear, "http_500", "no"),
        ({"status": 408}, Unclear, "http_408", "no"),
        ({"status": 409}, Unclear, "http_409", "no"),
        ({"status": 503, "headers": {"Retry-After": "0"}}, Unclear, "http_503", "no"),
        (
            {"status": 502, "text": "<html><h1>Bad gateway</h1></html>", "headers": {"Content-Type": "text/html"}},
            Unclear, "http_502", "HTTP 502",
        ),
        ({"status": 403, "text": ""}, GivenUp, "http_403", "HTTP 403"),
        ({"status": 400, "text": '"just a text"'}, GivenUp, "http_400", "HTTP 400"),
        ({"status": 400, "text": '{"error": "as a text"}'}, GivenUp, "http_400", "HTTP 400"),
        ({"status": 400, "text": '{"detail": [{"msg": "x"}]}'}, GivenUp, "http_400", "HTTP 400"),
        ({"drop": "before"}, Unclear, "unreachable", "The provider broke off before it answered."),
        ({"drop": "after"}, Unclear, "unreachable", "The provider broke off before it answered."),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_failed_call_is_the_right_error_after_one_request(there, provider, order, error, code, text):
    there.when(JOBS, times=9, **order)
    with pytest.raises(error) as told:
        create(provider)
    assert type(told.value) is error
    assert (told.value.code, told.value.text) == (code, text)
    assert told.value.status == order.get("status")
    assert len(there.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(there, provider, status):
    there.when(JOBS, status=status, headers={"Location": f"{there.base_url}/models"})
    with pytest.raises(GivenUp):
        create(provider)
    assert [each["call"] for each in there.requests] == [JOBS]


def test_no_proxy_of_the_environment_is_used(there, provider, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert client.model_names(provider) == ["tiny"]


def test_nothing_of_the_environment_reaches_the_provider(there, provider, monkeypatch):
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "OPENAI_ADMIN_KEY",
        "OPENAI_WEBHOOK_SECRET",
    ):
        monkeypatch.setenv(name, "secret-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    client.model_names(provider)
    (request,) = there.requests
    assert request["headers"]["authorization"] == "Bearer sk-test"
    assert "secret-of-the-environment" not in str(request)


def test_where_nobody_listens_nothing_was_accepted(db):
    with pytest.raises(TryAgain, match="cannot be reached"):
        create(factories.make_provider(base_url="http://127.0.0.1:9/v1"))


def test_where_no_connection_comes_about_nothing_was_accepted(db):
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        address = silent.getsockname()
        crowd = [socket.socket() for _place in range(4)]
        for each in crowd:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(TryAgain):
            create(factories.make_provider(base_url=f"http://127.0.0.1:{address[1]}/v1"))
        for each in crowd:
            each.close()


@pytest.mark.parametrize("address", ["", "no address", "ftp://127.0.0.1/v1", "http://"])
def test_an_address_that_is_none_is_an_error_of_ours(db, address):
    with pytest.raises((TryAgain, GivenUp)):
        create(factories.make_provider(base_url=address))


def test_a_slow_answer_is_waited_for(there, provider):
    there.when(JOBS, wait=1.5)
    begun = time.monotonic()
    assert create(provider).id.startswith("ftjob")
    assert time.monotonic() - begun > 1.4
    assert len(there.requests) == 1


@pytest.mark.parametrize(
    "order",
    [
        {"text": "<html>welcome</html>", "headers": {"Content-Type": "text/html"}},
        {"text": "{"},
        {"text": "[]"},
        {"text": "null"},
        {"text": '{"data": 7}'},
        {"text": '{"data": [7]}'},
        {"text": "[" * 100_000},
        {"text": '{"data": ' + "[" * 100_000},
        {"text": '{"id": "\\ud800"}'},
        {"text": ""},
    ],
    ids=lambda order: order["text"][:20],
)
@pytest.mark.parametrize(
    "call",
    [
        "model_names",
        "jobs_with",
        "events_since",
        "checkpoints",
        "upload",
        "complete",
        "create_job",
        "job",
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_of_ours_and_nothing_else(there, provider, order, call):
    there.when("*", times=9, **order)
    args = {
        "model_names": (), "jobs_with": ("a",), "events_since": ("j", ""),
        "checkpoints": ("j",), "upload": (b"{}", "0" * 64, "a.jsonl"), "complete": ("tiny", []),
        "create_job": (), "job": ("j",),
    }[call]  # fmt: skip
    body = BODY if call == "create_job" else {}
    try:
        told = getattr(client, call)(provider, *args, **body)
    except (GivenUp, Unclear):
        pass
    else:
        assert told in ([], {}), "a list that holds nothing, and no half of a row"
    assert not Upload.objects.exists()


def test_a_paid_job_whose_answer_makes_no_sense_is_in_doubt(there, provider):
    there.when(JOBS, text="<html>welcome</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(Unclear):
        create(provider)


def test_an_upload_is_sent_once_per_content(there, provider):
    first = client.upload(provider, b'{"a": 1}\n', "a" * 64, "train-a.jsonl")
    again = client.upload(provider, b'{"a": 1}\n', "a" * 64, "train-a.jsonl")
    assert first == again
    assert len(there.asked("POST /files")) == 1
    assert there.files[first.remote_id]["data"] == b'{"a": 1}\n'


def test_an_upload_that_stands_there_already_is_taken_up(there, provider):
    there.when("POST /files", drop="after")
    with pytest.raises(Unclear):
        client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    row = client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    assert len(there.asked("POST /files")) == 1
    assert list(there.files) == [row.remote_id]


def test_an_upload_at_one_provider_is_none_at_another(there, provider):
    client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    other = factories.make_provider(base_url=there.base_url)
    there.files.clear()
    client.upload(other, b"{}\n", "a" * 64, "train-a.jsonl")
    assert Upload.objects.count() == 2


def test_a_forgotten_upload_is_gone_there_and_here(there, provider):
    row = client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    client.forget_upload(row)
    assert (there.files, Upload.objects.count()) == ({}, 0)


def test_an_upload_that_is_gone_there_already_is_forgotten_here(there, provider):
    row = client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    there.files.clear()
    client.forget_upload(row)
    assert not Upload.objects.exists()


def test_an_upload_that_cannot_be_deleted_stays_in_our_books(there, provider):
    row = client.upload(provider, b"{}\n", "a" * 64, "train-a.jsonl")
    there.when("DELETE /files/*", status=500)
    with pytest.raises(Unclear):
        client.forget_upload(row)
    assert Upload.objects.get() == row


def test_jobs_are_found_by_our_mark_also_where_the_filter_is_ignored(there, provider):
    ours = [there.add_job(metadata={"op": "ours"}) for _turn in range(2)]
    there.add_job(metadata={"op": "another's"})
    there.add_job()
    everything = {"object": "list", "data": list(there.jobs.values()), "has_more": False}
    for _turn in range(2):
        assert [job.id for job in client.jobs_with(provider, "ours")] == [job["id"] for job in ours]
        there.when("GET /fine_tuning/jobs", text=json.dumps(everything))
    assert there.requests[0]["query"]["metadata[op]"] == ["ours"]


def test_many_jobs_are_read_by_the_page_and_no_further_than_needed(there, provider):
    old, *_others, new = [there.add_job()["id"] for _turn in range(250)]
    pages = client.job_pages(provider)
    assert next(pages)[0]["id"] == new
    assert len(there.requests) == 1
    assert [len(rows) for rows in pages] == [100, 50]
    assert old in str(list(client.job_pages(provider))[-1])


def test_events_come_oldest_first_and_only_the_new_ones(there, provider):
    job = there.add_job()["id"]
    events = [there.add_event(job, message=f"event {number}")["id"] for number in range(130)]
    assert [event.id for event in client.events_since(provider, job, "")] == events
    assert [event.id for event in client.events_since(provider, job, events[120])] == events[121:]
    assert client.events_since(provider, job, events[-1]) == []


def test_a_chat_is_answered_whole(there, provider):
    there.reply = lambda model, messages: f"{model}: {messages[-1]['content']}!"
    reply = client.complete(provider, "ft:tiny", factories.chat("x", "y")[:1], temperature=0)
    assert reply.choices[0].message.content == "ft:tiny: x!"
    assert reply.usage.total_tokens == 18


def streamed(provider, **body):
    async def read():
        body_ = {"model": "tiny", "messages": [{"role": "user", "content": "x"}], **body}
        return [chunk async for chunk in client.stream(provider, **body_)]

    return asyncio.run(read())


def test_a_chat_is_answered_as_a_stream_that_ends_with_its_usage(there, provider):
    there.reply = lambda _model, _messages: "Before sunset, always."
    chunks = streamed(provider)
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert told == "Before sunset, always."
    assert chunks[-1].usage.total_tokens == 18


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"status": 429}, TryAgain),
        ({"status": 400}, GivenUp),
        ({"status": 500}, Unclear),
        ({"drop": "before"}, Unclear),
        ({"text": "data: {broken\n\n", "headers": {"Content-Type": "text/event-stream"}}, (GivenUp, Unclear)),
        (
            {
                "text": 'data: {"error": {"message": "out of memory"}}\n\n',
                "headers": {"Content-Type": "text/event-stream"},
            },
            (GivenUp, Unclear),
        ),
    ],
    ids=str,
)
def test_a_stream_that_fails_is_the_right_error(there, provider, order, error):
    there.when("POST /chat/completions", **order)
    with pytest.raises(error):
        streamed(provider)
    assert len(there.requests) == 1
