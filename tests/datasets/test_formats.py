"""JSONL from anywhere: every bad line is named with its number and its reason, and nothing is an error on our side."""

import json
import time

import pytest

from datasets import formats

USER = '{"role": "user", "content": "When is the lamp lit?"}'
ANSWER = '{"role": "assistant", "content": "Before sunset."}'
GOOD = f'{{"messages": [{USER}, {ANSWER}]}}'


def row(messages=None, **more):
    return json.dumps({"messages": messages or [json.loads(USER), json.loads(ANSWER)], **more})


def saying(role, **fields):
    """A row whose second message is this one, with a good answer after it."""
    return row([json.loads(USER), {"role": role, **fields}, json.loads(ANSWER)])


def user(content):
    return row([{"role": "user", "content": content}, json.loads(ANSWER)])


def problems_of(data):
    return formats.read(data if isinstance(data, bytes) else data.encode())[1]


def preference(better=1, worse="At noon.", role="assistant", asked="user"):
    """A row with a better and a worse answer."""
    question = [{"role": "user", "content": "When is it lit?"}]
    if asked != "user":
        question.append({"role": asked, "content": "Well."})
    return json.dumps(
        {
            "input": {"messages": question},
            "preferred_output": [{"role": "assistant", "content": "At dusk."}] * better,
            "non_preferred_output": [{"role": role, "content": worse}],
        }
    )


BAD = {
    # not JSON at all, or not strictly
    "half a row": (GOOD[:30], "Not JSON"),
    "a trailing comma": (GOOD[:-1] + ",}", "Not JSON"),
    "a comment": (GOOD + " // good", "Not JSON"),
    "single quotes": (GOOD.replace('"', "'"), "Not JSON"),
    "two rows a line": (GOOD + GOOD, "Not JSON"),
    "two rows a line with a lone CR between them": (GOOD + "\r" + GOOD, "Not JSON"),
    "a row and a comma": (GOOD + ",", "Not JSON"),
    "a BOM in mid-file": ("\ufeff" + GOOD, "Not JSON"),
    "NaN": (row(tools=[{"x": 1}]).replace("1}", "NaN}"), "NaN"),
    "Infinity": (row(tools=[{"x": 1}]).replace("1}", "-Infinity}"), "Infinity"),
    "1e999": (row(tools=[{"x": 1}]).replace("1}", "1e999}"), "too large"),
    "a number of 5,000 digits": (row(tools=[{"x": 1}]).replace("1}", "7" * 5000 + "}"), "number is too long"),
    "a raw control character": (user("a").replace('"a"', '"a\x01"'), "Not JSON"),
    "a raw NUL": (user("a").replace('"a"', '"a\x00"'), "Not JSON"),
    "a raw tab": (user("a").replace('"a"', '"a\tb"'), "Not JSON"),
    "one key twice": (GOOD[:-1] + ', "messages": []}', "twice"),
    "one key twice deep inside": (GOOD.replace('"content"', '"role": "user", "content"', 1), "twice"),
    "a word": ("messages", "Not JSON"),
    # nothing that a database keeps
    "an escaped NUL": (user("a\x00b"), "NUL"),
    "a NUL in a key": (row(tools=[{"a\x00": 1}]), "NUL"),
    "a NUL in a key that stands twice": ('{"\\u0000": 1, "\\u0000": 2}', "NUL"),
    "half a surrogate pair": (user("a\ud800b"), "surrogate"),
    "half a pair in a key that stands twice": ('{"\\udfff": 1, "\\udfff": 2}', "surrogate"),
    "half a pair in a name": (saying("user", content="x", name="\udc00"), "surrogate"),
    "nesting of 1,000": (row(tools=[{"x": 1}]).replace("1}", "[" * 1000 + "]" * 1000 + "}"), "deeply"),
    "nesting of 100,000": ("[" * 50_000 + "]" * 50_000, "deeply"),
    "nesting of 50": (row(tools=[{"x": 1}]).replace("1}", "[" * 50 + "]" * 50 + "}"), "deeply"),
    # JSON, but no row
    "null": ("null", "one JSON object"),
    "a number": ("7", "one JSON object"),
    "a text": ('"messages"', "one JSON object"),
    "true": ("true", "one JSON object"),
    "an object without messages": ("{}", "messages"),
    "the old format": ('{"prompt": "When?", "completion": "Before sunset."}', "old prompt and completion"),
    "a preference without a question": (
        '{"input": {}, "preferred_output": [], "non_preferred_output": []}', "“input” must be an object",
    ),
    "half a preference": ('{"preferred_output": []}', "A preference row has the keys"),
    "two better answers": (preference(better=2), "“preferred_output” must be a list of one message"),
    "a worse answer of the user": (preference(role="user"), "must be the assistant's"),
    "a worse answer without words": (preference(worse=" "), "The worse answer: the content is empty"),
    "a worse answer that is the better one": (preference(worse="At dusk."), "are the same"),
    "a preference after an answer": (preference(asked="assistant"), "follow a message that is not"),
    "a conversation of ShareGPT": ('{"conversations": [{"from": "human", "value": "x"}]}', "Unknown key"),
    "a key that is not ours": (row(owner=1), "Unknown key “owner”"),
    "messages null": ('{"messages": null}', "messages"),
    "messages empty": ('{"messages": []}', "messages"),
    "messages an object": ('{"messages": {}}', "messages"),
    "messages a text": ('{"messages": "hello"}', "messages"),
    "tools no list": (row(tools={}), "tools"),
    "tools of texts": (row(tools=["search"]), "tools"),
    "parallel_tool_calls a word": (row(parallel_tool_calls="no"), "parallel_tool_calls"),
    # no conversation
    "a message that is a text": (row(["hello", json.loads(ANSWER)]), "Message 1"),
    "a message that is null": (row([None, json.loads(ANSWER)]), "Message 1"),
    "role missing": (row([{"content": "x"}, json.loads(ANSWER)]), "Message 1: the role"),
    "role unknown": (saying("function", content="x"), "Message 2: the role"),
    "role capitalised": (saying("User", content="x"), "Message 2: the role"),
    "role of Russian letters": (saying("аssistant", content="x"), "Message 2: the role"),
    "role a list": (saying(["user"], content="x"), "Message 2: the role"),
    "role null": (saying(None, content="x"), "Message 2: the role"),
    "content missing": (saying("user"), "Message 2: the content"),
    "content null": (saying("user", content=None), "Message 2: the content"),
    "content a number": (saying("user", content=7), "Message 2: the content"),
    "content an object": (saying("user", content={"text": "x"}), "Message 2: the content"),
    "content empty": (saying("user", content=""), "Message 2: the content is empty"),
    "content blank": (saying("user", content=" \n\t"), "Message 2: the content is empty"),
    "content of hard spaces": (saying("user", content="\u00a0\u3000\u2028"), "Message 2: the content is empty"),
    "content of zero width": (saying("user", content="\u200b\u200d\ufeff\u2060"), "Message 2: the content is empty"),
    "content of hidden tags": (saying("user", content="\U000e0041\U000e0042"), "Message 2: the content is empty"),
    "content of bidi marks": (saying("user", content="\u202e\u2066\u2069"), "Message 2: the content is empty"),
    "content no parts": (saying("user", content=[]), "Message 2: the content"),
    "content parts of pictures": (saying("user", content=[{"type": "image_url"}]), "Message 2: the content"),
    "content parts of blanks": (saying("user", content=[{"type": "text", "text": " "}]), "the content is empty"),
    "content parts of texts": (saying("user", content=["x"]), "Message 2: the content"),
    "weight 0.5": (saying("assistant", content="x", weight=0.5), "weight"),
    "weight as a text": (saying("assistant", content="x", weight="1"), "weight"),
    "weight true": (saying("assistant", content="x", weight=True), "weight"),
    "weight null": (saying("assistant", content="x", weight=None), "weight"),
    "weight 2": (saying("assistant", content="x", weight=2), "weight"),
    "weight of the user": (saying("user", content="x", weight=1), "weight"),
    "weight 0 on every answer": (row([json.loads(USER), {**json.loads(ANSWER), "weight": 0}]), "nothing to learn"),
    "a name with a space": (saying("user", content="x", name="Ann Smith"), "name"),
    "a name of Russian letters": (saying("user", content="x", name="Анна"), "name"),
    "a name with a line end": (saying("user", content="x", name="ann\n"), "name"),
    "a long name": (saying("user", content="x", name="a" * 65), "name"),
    "a name that is null": (saying("user", content="x", name=None), "name"),
    "a key of a message that is not ours": (saying("user", content="x", cost=1), "unknown key “cost”"),
    "tool_calls of the user": (saying("user", content="x", tool_calls=[{}]), "tool_calls"),
    "tool_calls empty": (saying("assistant", content="x", tool_calls=[]), "tool_calls"),
    "tool_calls of numbers": (saying("assistant", content=None, tool_calls=[1]), "tool_calls"),
    "no answer": (row([json.loads(USER)]), "last message"),
    "the answer not last": (row([json.loads(USER), json.loads(ANSWER), json.loads(USER)]), "last message"),
    "no question": (row([json.loads(ANSWER)]), "no message of the user"),
    "instructions only": (row([{"role": "system", "content": "x"}, json.loads(ANSWER)]), "no message of the user"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_and_the_good_ones_round_it_are_read(name):
    line, reason = BAD[name]
    data = f"{GOOD}\n\n".encode() + line.encode("utf-8", "surrogatepass") + f"\n{GOOD}\n".encode()
    rows, problems = formats.read(data)
    assert [each.line for each in rows] == [1, 4]
    ((number, problem),) = problems
    assert number == 3
    assert reason in problem
    problem.encode()
    assert "\x00" not in problem and len(problem) < 300


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff", "Byte 44 is not UTF-8"),
        (b"\xc0\xaf", "Byte 44 is not UTF-8"),
        (b"\xed\xa0\x80", "Byte 44 is not UTF-8"),
        (b"\xf5\x80\x80\x80", "Byte 44 is not UTF-8"),
        ("лампа".encode("cp1251"), "Byte 44 is not UTF-8"),
    ],
    ids=["no byte of it", "overlong", "raw surrogate", "beyond Unicode", "Windows-1251"],
)
def test_bytes_that_are_not_utf_8_are_named_by_line_and_place(raw, reason):
    line = user("HERE").encode().replace(b"HERE", raw)
    assert problems_of(f"{GOOD}\n".encode() + line) == [(2, f"{reason}.")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n \n\t\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x1f\x8b\x08\x00" + b"x" * 50, "gzip"),
        (b"PK\x03\x04" + b"x" * 50, "not a JSONL file"),
        (b"%PDF-1.7\n", "not a JSONL file"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (f"[{GOOD},\n{GOOD}]".encode(), "JSON array"),
        (f"\ufeff\n [{GOOD}]".encode(), "JSON array"),
    ],
    ids=["nothing", "blank", "only a BOM", "gzip", "zip", "pdf", "utf-16", "array", "array after a BOM"],
)
def test_a_file_that_is_no_jsonl_is_refused_as_a_whole(data, reason):
    rows, ((number, problem),) = formats.read(data)
    assert (rows, number) == ([], 1)
    assert reason in problem


def test_a_pretty_printed_file_has_a_problem_on_every_line():
    pretty = json.dumps(json.loads(GOOD), indent=1)
    rows, problems = formats.read(pretty.encode())
    assert not rows
    assert [number for number, _problem in problems] == list(range(1, pretty.count("\n") + 2))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (f"{GOOD}\n{GOOD}", [1, 2]),
        (f"{GOOD}\r\n{GOOD}\r\n", [1, 2]),
        (f"\ufeff{GOOD}\n", [1]),
        (f"\n\n{GOOD}\n   \n{GOOD}\n\n", [3, 5]),
        (f"  {GOOD}  \n", [1]),
        (user("one\u2028two\u2029three\u0085four").replace("\\u2028", "\u2028"), [1]),
        (json.dumps(json.loads(user("one\u2028two\u0085three")), ensure_ascii=False), [1]),
    ],
    ids=["no final line end", "CRLF", "BOM", "blank lines", "spaces round", "separators", "raw separators"],
)  # fmt: skip
def test_lines_are_counted_as_an_editor_counts_them(data, lines):
    rows, problems = formats.read(data.encode())
    assert ([each.line for each in rows], problems) == (lines, [])


CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        row([{"role": "system", "content": "Be brief."}, json.loads(USER), json.loads(ANSWER)]),
        row([{"role": "developer", "content": "Be brief."}, json.loads(USER), json.loads(ANSWER)]),
        row([json.loads(USER), {"role": "assistant", "content": None, "tool_calls": [CALL]},
             {"role": "tool", "tool_call_id": "c1", "content": "18:40"}, json.loads(ANSWER)],
            tools=[{"type": "function", "function": {"name": "find"}}], parallel_tool_calls=False),
        saying("assistant", tool_calls=[CALL]),
        saying("user", content=[{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]),
        saying("assistant", content="x", weight=0),
        saying("assistant", content="x", weight=1),
        saying("user", content="x", name="Ann_1-a"),
        user("<|endoftext|><|im_start|>system"),
        user("a\u200bb \u202eevil\u202c \U000e0041 🙂 灯 ا"),
        user("'; DROP TABLE x; -- <script>alert(1)</script> {{ 7*7 }} =cmd|' /C calc'!A0"),
        user("a\u0001\u001f\x7f"),
        user("x" * 100_000),
        row(tools=[{"x": 2**64}]), row(tools=[{"x": [-0.0, 1e22, 1.5e300, 5e-324, 0.1]}]),
        row(tools=[]), row(tools=None),
    ],
)  # fmt: skip
def test_a_good_row_in_any_shape_is_read(line):
    rows, problems = formats.read(line.encode())
    assert problems == []
    assert rows[0].messages == json.loads(line)["messages"]


def test_a_line_over_the_limit_is_named():
    long = user("x" * formats.MAX_LINE)
    assert problems_of(f"{GOOD}\n{long}") == [(2, f"The line is longer than {formats.MAX_LINE} bytes.")]


@pytest.mark.parametrize(
    "line",
    [
        "{" + ",".join(f'"k{n}":0' for n in range(200_000)) + ',"k199999":0}',
        '{"messages":' + "[" * 900 + "]" * 900 + "}",
        "[" + "1," * 1_000_000 + "1]",
        '{"a":' * 100_000,
        '"' + "\\u0041" * 500_000,
        "9" * 4_000_000,
        row([json.loads(USER)] * 60_000),
    ],
    ids=[
        "many keys and one twice",
        "deep",
        "many numbers",
        "deep and open",
        "open text",
        "long number",
        "long chat",
    ],
)
def test_a_hostile_line_takes_no_time(line):
    begun = time.process_time()
    assert len(problems_of(f"{GOOD}\n{line}")) == 1
    assert time.process_time() - begun < 5


def test_a_preference_row_is_a_chat_with_a_worse_answer_and_is_written_as_it_was_read():
    line = preference()
    ((row,), problems) = formats.read(line.encode())
    assert not problems and [each["content"] for each in row.messages] == ["When is it lit?", "At dusk."]
    assert row.rejected["content"] == "At noon."
    assert json.loads(formats.preference_of({"messages": row.messages}, row.rejected)) == json.loads(line)
