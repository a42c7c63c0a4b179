"""What in a reply is a call and what is text, and that a stream never takes back what it showed."""

import pytest

from engine.tool_calls import Call, split


def block(inside):
    return f"<tool_call>\n{inside}\n</tool_call>"


GO, STOP = block('{"name": "go", "arguments": {"to": "дом"}}'), block('{"arguments": {}, "name": "stop"}')
CALLS = [Call("go", '{"to": "дом"}'), Call("stop", "{}")]
NO_CALLS = [
    "not JSON",
    "[]",
    '{"name": "go"}',
    '{"name": "go", "arguments": "x"}',
    '{"name": "fly", "arguments": {}}',
    '{"name": ["go"], "arguments": {}}',
    '{"name": "go", "arguments": {"a": NaN}}',
    '{"name": "go", "arguments": {"a": "\\ud800"}}',
    '{"name": "go", "arguments": ' + "[" * 2000,
]


def read(text, finish="stop", most=9):
    return split(text, {"go", "stop"}, most, finish)


@pytest.mark.parametrize(
    ("text", "content", "calls"),
    [
        ("Hi.", "Hi.", []),
        (GO, "", CALLS[:1]),
        (f" \n{GO}\n", "", CALLS[:1]),
        (GO + STOP, "", CALLS),
        (f"I look.\n{GO}\n{STOP} Done.", "I look.\n\n Done.", CALLS),
        (f"<tool_call> {GO}", "<tool_call>", CALLS[:1]),
        (f"a < b {GO[:20]}", f"a < b {GO[:20]}", []),
        (f"</tool_call> {STOP}", "</tool_call>", CALLS[1:]),
    ],
)
def test_calls_and_text(text, content, calls):
    assert read(text) == (content, calls)


@pytest.mark.parametrize("inside", NO_CALLS, ids=range(len(NO_CALLS)))
def test_what_is_no_call_stays_text(inside):
    assert read(f"So: {block(inside)} {STOP}") == (f"So: {block(inside)}", CALLS[1:])


def test_after_the_last_call_there_is_nothing():
    assert read(f"{GO}{STOP} Done.", most=1) == ("", CALLS[:1])


def test_a_reply_that_was_cut_off_keeps_back_half_a_call():
    for length in range(1, len(GO)):
        assert read(f"Hm. {GO[:length]}", "length") == ("Hm.", [])


def test_a_stream_takes_nothing_back():
    text = f"a < b <tool {block('no')} and {GO} or\n{STOP} <tool_call> end <"
    shown, made = "", []
    for length in range(len(text) + 1):
        content, calls = read(text[:length], "stop" if length == len(text) else None)
        assert content.startswith(shown) and calls[: len(made)] == made
        assert not content.endswith(("<tool", "<tool_call")) or "<tool " in text[:length]
        shown, made = content, calls
    assert shown == f"a < b <tool {block('no')} and  or\n <tool_call> end <"
