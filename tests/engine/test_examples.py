"""The checks of a training file, line by line, on raw bytes."""

import json

import pytest

from engine.examples import MAX_LINE, InvalidFile, read_examples
from tests.engine.talk import chat, jsonl

GOOD = json.dumps(chat("q", "a")).encode()
REPLY = {"role": "assistant", "content": "a"}


def read(tmp_path, data):
    path = tmp_path / "chats.jsonl"
    path.write_bytes(data)
    return list(read_examples(path))


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD + b"\n",
        GOOD + b"\r\n" + GOOD + b"\r\n",
        GOOD + b"\n\n  \r\n\n",
        "{}\n".format(json.dumps(chat("q", "line\u2028separator\u0085"), ensure_ascii=False)).encode(),
        b'{"messages": [{"role": "assistant", "content": "\\ud83d\\ude00"}]}',
        jsonl([{"messages": [{"role": role, "content": "x"}, REPLY]}]) if (role := "developer") else b"",
        jsonl([{"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}, REPLY]}]),
        jsonl([{"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}, REPLY]}]),
        jsonl(
            [{"messages": [REPLY | {"weight": 0}, {"role": "user", "content": ""}, REPLY | {"weight": 1}]}]
        ),
        jsonl([chat("q", "a") | {"note": "kept beside the chat", "tools": []}]),
    ],
)
def test_a_good_file_is_read(tmp_path, data):
    assert read(tmp_path, data)


BAD_BYTES = {
    b"\xef\xbb\xbf" + GOOD: "byte order mark",
    GOOD.decode().encode("utf-16"): "byte order mark",
    b'{"messages": "\xff"}': "not UTF-8 at byte 15",
    b'{"messages": "\xc0\xaf"}': "not UTF-8",
    b'{"messages": "\xed\xa0\x80"}': "not UTF-8",
    b"\x1f\x8b\x08\x00": "not UTF-8",
    b"hello": "not valid JSON",
    b"{'messages': []}": "not valid JSON",
    b'{"messages": [],}': "not valid JSON",
    b'{"messages": "a\x00b"}': "not valid JSON",
    GOOD + GOOD: "not valid JSON",
    GOOD + b"\r" + GOOD: "not valid JSON",
    b"[" + GOOD + b"]": "expected a JSON object",
    b"null": "expected a JSON object",
    b"{": "not valid JSON",
    b'{"messages": [], "messages": []}': "'messages' appears twice",
    b'{"x": NaN}': "NaN",
    b'{"x": -Infinity}': "-Infinity",
    b'{"x": 1e999}': "out of range",
    b'{"x": ' + b"9" * 5000 + b"}": "digits",
    b'{"x": ' + b"[" * 100 + b"]" * 100 + b"}": "nested deeper",
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "nested deeper",
    b'{"messages": [{"role": "assistant", "content": "\\ud800"}]}': "surrogate",
    b"\n" + GOOD: "blank",
    b" " * (MAX_LINE + 2) + GOOD: "blank",
    b"{" + b" " * MAX_LINE + b"}": "longer than 8 MB",
}


@pytest.mark.parametrize(("data", "reason"), BAD_BYTES.items(), ids=range(len(BAD_BYTES)))
def test_bytes_that_are_no_object_name_their_line(tmp_path, data, reason):
    with pytest.raises(InvalidFile, match=rf"Line 1: .*{reason}"):
        read(tmp_path, data)


def user(**fields):
    return {"messages": [{"role": "user", "content": "q", **fields}, REPLY]}


def reply(**fields):
    return {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", **fields}]}


BAD_CHATS = [
    ({}, "'messages'"),
    ({"prompt": "q", "completion": "a"}, "'messages'"),
    ({"input": {"messages": []}, "preferred_output": []}, "'messages'"),
    ({"messages": {}}, "'messages'"),
    ({"messages": None}, "'messages'"),
    ({"messages": []}, "non-empty"),
    ({"messages": ["hi"]}, "message 1: expected an object"),
    (user(role="User"), "message 1: the role"),
    (user(role="usеr"), "message 1: the role"),
    (user(role=None), "message 1: the role"),
    (user(role=["user"]), "message 1: the role"),
    (user(content=None), "'content' is missing"),
    (user(content=7), "'content' must be"),
    (user(content=[{"type": "image_url", "image_url": "x"}]), "only text parts"),
    (user(content=[{"type": "text", "text": None}]), "a string under 'text'"),
    (user(weight=1), "only assistant messages"),
    ({"messages": [{"role": "user", "content": "q"}]}, "must be from the assistant"),
    ({"messages": [REPLY, {"role": "user", "content": "q"}]}, "last message"),
    (reply(content="  \n"), "empty"),
    (reply(content=None), "'content' is missing"),
    (reply(tool_calls={}, content=None), "'content' is missing"),
    (reply(tool_calls="x"), "'tool_calls' must be a list"),
    (reply(weight=0), "nothing to learn"),
    (reply(weight=0.5), "0 or 1"),
    (reply(weight="1"), "0 or 1"),
    (reply(weight=True), "0 or 1"),
    (reply(weight=None), "0 or 1"),
    (chat("q", "a") | {"tools": {}}, "'tools' must be a list"),
]


@pytest.mark.parametrize(("example", "reason"), BAD_CHATS, ids=range(len(BAD_CHATS)))
def test_a_chat_that_cannot_be_trained_on_names_its_line(tmp_path, example, reason):
    data = GOOD + b"\n" + jsonl([example])
    with pytest.raises(InvalidFile, match=f"Line 2: .*{reason}"):
        read(tmp_path, data)


def test_a_blank_line_is_named_once_something_follows_it(tmp_path):
    with pytest.raises(InvalidFile, match="Line 2: the line is blank"):
        read(tmp_path, GOOD + b"\n\n\n" + GOOD)
