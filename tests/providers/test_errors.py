"""What people read of a provider's error holds no key."""

import pytest

from providers.errors import plain


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
