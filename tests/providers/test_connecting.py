"""Each connection is checked again, and no answer may be out of all measure. Real sockets, all of it."""

import asyncio
import gzip
import itertools
import socket
import ssl
import time

import pytest

from providers import client, connecting
from providers.errors import BadAddress, GivenUp, TryAgain, Unclear, Unreadable
from tests import factories
from tests.providers.certificates import self_signed
from tests.providers.raw import HEAD, saying

JOBS = "POST /fine_tuning/jobs"
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "x"}]}


def streamed(provider):
    async def read():
        return [chunk async for chunk in client.stream(provider, **CHAT)]

    return asyncio.run(read())


def create(provider):
    return client.create_job(provider, model="tiny", training_file="file-1")


@pytest.fixture
def names(monkeypatch):
    """{name: addresses, one list for each time that it is asked for}; and how often names were asked for."""
    known, asked, ask = {}, [], socket.getaddrinfo

    def resolver(host, *args, **kwargs):
        text = host.decode() if isinstance(host, bytes) else host
        if text in known:
            asked.append(text)
            found = known[text].pop(0) if len(known[text]) > 1 else known[text][0]
            return [row for each in found for row in ask(each, *args, **kwargs)]
        return ask(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    known["asked"] = asked
    return known


@pytest.mark.parametrize("call", [client.model_names, create, streamed])
def test_an_address_that_was_saved_before_the_rules_is_not_called(there, provider, settings, call):
    settings.PROVIDER_HOSTS = []
    with pytest.raises(BadAddress) as told:
        call(provider)
    assert told.value.advice == "ask"
    assert there.requests == []


@pytest.mark.parametrize("call", [client.model_names, create, streamed])
def test_a_name_that_has_moved_inside_since_it_was_saved_is_not_dialled(there, db, names, call):
    port = there.server.server_port
    names["rebind.example.com"] = [["93.184.216.34"], ["127.0.0.1"]]
    provider = factories.make_provider(base_url=f"https://rebind.example.com:{port}/v1")
    provider.full_clean(exclude=["key"])
    with pytest.raises(BadAddress):
        call(provider)
    assert names["asked"] == ["rebind.example.com"] * 2
    assert there.requests == []


def test_what_was_checked_is_what_is_dialled(there, db, names, settings):
    port = there.server.server_port
    settings.PROVIDER_HOSTS = [f"inner.example.com:{port}"]
    names["inner.example.com"] = [["127.0.0.1"], ["192.0.2.1"]]
    provider = factories.make_provider(base_url=f"http://inner.example.com:{port}/v1")
    assert client.model_names(provider) == ["tiny"]
    assert names["asked"] == ["inner.example.com"]
    assert there.requests[0]["headers"]["host"] == f"inner.example.com:{port}"


def test_an_address_that_does_not_answer_gives_way_to_the_next(there, db, names, settings):
    port = there.server.server_port
    settings.PROVIDER_HOSTS = ["inner.example.com"]
    names["inner.example.com"] = [["::1", "127.0.0.1"]]
    provider = factories.make_provider(base_url=f"http://inner.example.com:{port}/v1")
    assert client.model_names(provider) == ["tiny"]


@pytest.mark.parametrize(("name", "speaks"), [("inner.example.com", True), ("other.example.com", False)])
def test_the_certificate_must_be_that_of_the_name_whatever_address_is_dialled(
    db, names, settings, tmp_path, name, speaks
):
    told = []
    pem = self_signed(tmp_path, "inner.example.com")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    tls.sni_callback = lambda _socket, asked, _context: told.append(asked)
    settings.PROVIDER_HOSTS, names[name] = [name], [["127.0.0.1"]]
    connecting.certificates.cache_clear()
    connecting.certificates().load_verify_locations(pem)
    body = b'{"object": "list", "data": [{"id": "tiny"}]}'
    with saying(lambda: [HEAD, b"Content-Length: %d\r\n\r\n" % len(body), body], tls) as raw:
        port = raw.listener.getsockname()[1]
        provider = factories.make_provider(base_url=f"https://{name}:{port}/v1")
        if speaks:
            assert client.model_names(provider) == ["tiny"]
        else:
            with pytest.raises(TryAgain):
                client.model_names(provider)
    connecting.certificates.cache_clear()
    assert set(told) == {name}
    assert bool(raw.heads) == speaks


def endless(piece, head=HEAD):
    return lambda: itertools.chain([head + b"\r\n"], itertools.repeat(piece))


@pytest.mark.parametrize(
    ("call", "error"),
    [(client.model_names, Unreadable), (create, Unclear), (streamed, Unreadable)],
    ids=["read", "paid", "stream"],
)
def test_an_answer_without_end_is_cut(db, call, error):
    with saying(endless(b"[" * 65536)) as raw:
        with pytest.raises(error) as told:
            call(factories.make_provider(base_url=raw.base_url))
        assert told.value.code == "too_large"
        assert raw.sent < 64 * connecting.MEGABYTE


def test_a_list_without_end_is_cut_sooner(db):
    with saying(endless(b" " * 65536)) as raw:
        with pytest.raises(Unreadable):
            list(client.job_pages(factories.make_provider(base_url=raw.base_url)))
        assert raw.sent < 32 * connecting.MEGABYTE


def test_ten_gigabytes_that_are_only_announced_are_not_waited_for(db):
    head = HEAD + b"Content-Length: 10737418240\r\n"
    with saying(endless(b"x" * 65536, head)) as raw, pytest.raises(Unreadable):
        client.model_names(factories.make_provider(base_url=raw.base_url))


def test_a_stream_of_words_without_end_is_cut(db):
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "' + b"x" * 60_000 + b'"}}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    with saying(endless(chunk, head)) as raw:
        with pytest.raises(Unreadable):
            streamed(factories.make_provider(base_url=raw.base_url))
        assert raw.sent < 24 * connecting.MEGABYTE


@pytest.mark.parametrize("call", [client.model_names, create, streamed])
def test_what_comes_packed_is_not_unpacked(db, call):
    bomb = gzip.compress(b"0" * 50 * connecting.MEGABYTE)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with saying(lambda: [head, bomb]) as raw:
        with pytest.raises((Unreadable, Unclear)) as told:
            call(factories.make_provider(base_url=raw.base_url))
        assert told.value.code == "packed"
        assert b"accept-encoding: identity" in raw.heads[0].lower()


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize("call", [client.model_names, create, streamed])
def test_an_answer_that_drips_for_ever_is_left(db, monkeypatch, call, where):
    monkeypatch.setattr(connecting, "MOST_SECONDS", 0.6)

    def drip():
        yield HEAD + (b"X-Slow: " if where == "head" else b"\r\n")
        while True:
            time.sleep(0.05)
            yield b" " if where == "body" else b"x"

    with saying(drip) as raw:
        begun = time.monotonic()
        with pytest.raises(Unclear):
            call(factories.make_provider(base_url=raw.base_url))
        assert time.monotonic() - begun < 5


def test_a_head_without_end_is_cut(db):
    with saying(endless(b"X: " + b"x" * 60_000, HEAD.rstrip(b"\r\n"))) as raw:
        with pytest.raises((GivenUp, Unclear)):
            client.model_names(factories.make_provider(base_url=raw.base_url))
        assert raw.sent < 16 * connecting.MEGABYTE


@pytest.mark.parametrize(
    "order",
    [
        {"status": 500},
        {"status": 503},
        {"status": 429},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=str,
)
def test_a_read_that_failed_for_a_moment_is_repeated_twice(there, provider, order):
    there.when("GET /models", times=2, **order)
    assert client.model_names(provider) == ["tiny"]
    assert len(there.requests) == 3


def test_a_read_that_keeps_failing_is_an_error_after_three_tries(there, provider):
    there.when("GET /models", times=9, status=503, headers={"X-Request-Id": "req_7"})
    with pytest.raises(Unclear) as told:
        client.model_names(provider)
    assert (len(there.requests), told.value.request_id, told.value.advice) == (3, "req_7", "retry")


def test_who_asks_for_a_long_pause_is_not_waited_for_here(there, provider):
    there.when("GET /models", times=9, status=429, headers={"Retry-After": "90"})
    begun = time.monotonic()
    with pytest.raises(TryAgain) as told:
        client.model_names(provider)
    assert (len(there.requests), told.value.retry_after) == (1, 90)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_read_that_is_refused_is_not_repeated(there, provider, status):
    there.when("GET /models", times=9, status=status)
    with pytest.raises(GivenUp):
        client.model_names(provider)
    assert len(there.requests) == 1


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("POST /fine_tuning/jobs", create),
        ("POST /chat/completions", lambda provider: client.complete(provider, **CHAT)),
        ("POST /chat/completions", streamed),
        ("POST /files", lambda provider: client.upload(provider, b"{}", "a" * 64, "a.jsonl")),
        ("POST /fine_tuning/jobs/*/cancel", lambda provider: client.cancel_job(provider, "j")),
        ("DELETE /files/*", lambda provider: client.delete_file(provider, "f")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "order",
    [
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=str,
)
def test_what_writes_or_costs_is_never_repeated(there, provider, verb, call, order):
    there.when(verb, times=9, **order)
    with pytest.raises((TryAgain, Unclear)):
        call(provider)
    assert len(there.asked(verb)) == 1
