"""An error says what to do and how long to wait; what people read of it holds no key."""

from email.utils import formatdate
from time import time

import pytest

from providers import client
from providers.errors import GivenUp, ProviderError, TryAgain, Unclear, plain, wait_of


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (429, None, "retry"),
        (500, None, "retry"),
        (503, None, "retry"),
        (408, None, "retry"),
        (409, None, "retry"),
        (429, "insufficient_quota", "ask"),
        (401, "invalid_api_key", "ask"),
        (402, None, "ask"),
        (403, None, "ask"),
        (403, "training_not_available", "give_up"),
        (400, "invalid_training_file", "give_up"),
        (404, "model_not_found", "give_up"),
        (422, None, "give_up"),
    ],
)
def test_an_error_says_whether_to_retry_ask_or_give_up(there, provider, status, code, advice):
    there.when(
        "POST /chat/completions",
        status=status,
        error={"code": code},
        headers={"x-request-id": "req_1\u00e9;"},
    )
    with pytest.raises(ProviderError) as told:
        client.complete(provider, "tiny", [])
    assert (told.value.advice, told.value.request_id) == (advice, "req_1é")


def test_a_connection_that_fails_is_worth_a_retry(there, provider):
    there.when("POST /chat/completions", drop="after")
    with pytest.raises(Unclear) as told:
        client.complete(provider, "tiny", [])
    assert (told.value.advice, told.value.request_id, told.value.retry_after) == ("retry", "", None)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7), ("0", 0), ("1.5", 1.5), ("-3", 0), ("999999999", 86400), ("inf", 86400), ("1e400", 86400),
        ("nan", None), ("", None), ("soon", None), ("Wed, 99 Foo 2026", None), ("9" * 5000, 86400),
        ("Mon, 01 Jan 99999999 00:00:00 GMT", None),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_read_from_numbers(told, seconds):
    assert wait_of({"retry-after": told}) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(60, 60), (-60, 0)])
def test_how_long_to_wait_is_read_from_dates(ahead, seconds):
    told = formatdate(time() + ahead, usegmt=True)
    assert wait_of({"retry-after": told}) == pytest.approx(seconds, abs=2)


def test_what_is_refused_for_good_is_told_from_what_may_be_repeated(there, provider):
    for status, kind in [(400, GivenUp), (429, TryAgain), (500, Unclear)]:
        there.when(
            "POST /chat/completions",
            status=status,
            error={"message": "a\x00b\ud800c\x1b[31m", "code": "x\x00y"},
        )
        with pytest.raises(kind) as told:
            client.complete(provider, "tiny", [])
        assert told.value.text.isprintable() and told.value.code.isprintable()


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
        "sk-svcacct-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sk-0123456789abcdef0123456789abcdef",
        "sk-test-short",
        "key-0123456789abcdef0123",
        "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo0123456_-8=",
        "eyJhbGciOiJIUzI1NiJ9abcdefghij.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    ],
)
def test_keys_are_taken_out_wherever_they_stand(key):
    for text in (f"Incorrect API key provided: {key}.", f'"{key}"', f"key={key}&x=1", key, f"Bearer {key}"):
        shown = plain(text)
        for part in key.strip("=").split("."):
            assert part not in shown
        assert "…" in shown


@pytest.mark.parametrize(
    "text",
    [
        'Invalid file format. Line 1, key "messages": missing.',
        "Файл не подходит: в строке 12 нет ответа.",
        "Rate limit reached for gpt-4o-mini-2024-07-18.",
        "",
    ],
)
def test_what_is_no_key_is_left_as_it_is(text):
    assert plain(text) == text


def test_a_text_without_end_is_cut():
    assert len(plain("no. " * 10_000)) == 500
