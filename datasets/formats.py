"""Chat examples as OpenAI's JSONL: read with an error for every bad line, written byte for byte the same.

Format of a row: {"messages": [{"role", "content", ...}], "tools": [...], "parallel_tool_calls": bool};
the limits are those of the supervised fine-tuning guide.
"""

import hashlib
import json
import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

ROLES = ("system", "developer", "user", "assistant", "tool")
ROLE_CHOICES = [(role, role) for role in ROLES]
PREFERENCE_KEYS = {"input", "preferred_output", "non_preferred_output"}
ROW_KEYS = {"messages", "tools", "parallel_tool_calls"}
MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "refusal"}
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
ORDER = {"messages": 0, "role": 0, "type": 0, "name": 1, "content": 2}
MAX_DEPTH = 40
MAX_LINE = 4 * 1024**2


class BadRow(ValueError):
    """The row cannot be an example; the text says why."""


@dataclass
class Row:
    line: int
    messages: list
    tools: list | None = None
    parallel_tool_calls: bool | None = None
    rejected: dict | None = None  # of a preference row: the worse answer; the better one ends the messages


def read(data: bytes) -> tuple[list[Row], list[tuple[int, str]]]:
    """(rows, problems): every line of the file is in one of the two, blank ones in neither."""
    whole = _not_jsonl(data)
    if whole:
        return [], [(1, whole)]
    rows, problems = [], []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(row_of(parse(line), number))
        except BadRow as problem:
            problems.append((number, str(problem)))
    if not rows and not problems:
        problems.append((1, _("The file is empty.")))
    return rows, problems


def _not_jsonl(data):
    if data.startswith(b"\x1f\x8b"):
        return _("This is a gzip archive. Unpack it first.")
    if data.startswith((b"PK\x03\x04", b"%PDF")):
        return _("This is not a JSONL file, whatever its name says.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _("The file is UTF-16. Save it as UTF-8.")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return _("The file is one JSON array. JSONL has one object a line, without commas between them.")
    return ""


def parse(line: bytes) -> dict:
    """One line as strict JSON: no double keys, no NaN, nothing that a database could not keep."""
    if len(line) > MAX_LINE:
        raise BadRow(_("The line is longer than %d bytes.") % MAX_LINE)
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise BadRow(_("Byte %d is not UTF-8.") % (error.start + 1)) from error
    try:
        value = json.loads(
            text, object_pairs_hook=_without_doubles, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise BadRow(
            _("Not JSON at character %(at)d: %(why)s.") % {"at": error.colno, "why": error.msg}
        ) from error
    except RecursionError as error:
        raise BadRow(_("Nested too deeply.")) from error
    except BadRow:
        raise
    except ValueError as error:
        raise BadRow(_("A number is too long.")) from error
    _check_strings(value)
    return value


def _without_doubles(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set()
        double = next(key for key, _value in pairs if key in seen or seen.add(key))
        _check_strings(double)
        raise BadRow(_("The key “%s” stands there twice.") % double[:50])
    return found


def _no_constant(name):
    raise BadRow(_("%s is not JSON.") % name)


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise BadRow(_("The number %s is too large.") % text[:20])
    return number


def _check_strings(value, depth=0):
    if depth > MAX_DEPTH:
        raise BadRow(_("Nested too deeply."))
    if isinstance(value, str):
        if "\x00" in value:
            raise BadRow(_("A text holds a NUL character."))
        if LONE_SURROGATE.search(value):
            raise BadRow(_("A text holds half of a surrogate pair."))
    elif isinstance(value, dict):
        for key, each in value.items():
            _check_strings(key, depth + 1)
            _check_strings(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_strings(each, depth + 1)


def row_of(value, line=0) -> Row:
    """The row with its messages checked, or BadRow."""
    if not isinstance(value, dict):
        raise BadRow(_("A line must be one JSON object."))
    if "prompt" in value or "completion" in value:
        raise BadRow(_("This is the old prompt and completion format. Chat rows hold “messages”."))
    if "preferred_output" in value or "non_preferred_output" in value:
        return _preference(value, line)
    unknown = sorted(set(value) - ROW_KEYS)
    if unknown:
        raise BadRow(_("Unknown key “%s”.") % unknown[0][:50])
    check_messages(value.get("messages"))
    tools, parallel = value.get("tools"), value.get("parallel_tool_calls")
    if tools is not None and not _is_list_of_objects(tools):
        raise BadRow(_("“tools” must be a list of objects."))
    if parallel is not None and not isinstance(parallel, bool):
        raise BadRow(_("“parallel_tool_calls” must be true or false."))
    return Row(line, value["messages"], tools, parallel)


def _preference(value, line):
    """{"input": {"messages", "tools", …}, "preferred_output": [message], "non_preferred_output": [message]}"""
    if set(value) != PREFERENCE_KEYS:
        raise BadRow(_("A preference row has the keys %s.") % ", ".join(sorted(PREFERENCE_KEYS)))
    asked = value["input"]
    if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
        raise BadRow(_("“input” must be an object with “messages”."))
    for name in ("preferred_output", "non_preferred_output"):
        if not isinstance(value[name], list) or len(value[name]) != 1:
            raise BadRow(_("“%s” must be a list of one message of the assistant.") % name)
    row = row_of({**asked, "messages": [*asked["messages"], value["preferred_output"][0]]}, line)
    row.rejected = value["non_preferred_output"][0]
    check_rejected(row.messages, row.rejected)
    return row


def check_rejected(messages, rejected):
    """Raise BadRow unless this is a worse answer to the same question."""
    _check_strings(rejected)
    try:
        _check_message(rejected)
    except BadRow as problem:
        raise BadRow(_("The worse answer: %s") % problem) from problem
    if rejected["role"] != "assistant":
        raise BadRow(_("The worse answer must be the assistant's."))
    if len(messages) < 2 or messages[-2]["role"] == "assistant":
        raise BadRow(_("A better and a worse answer follow a message that is not the assistant's."))
    if rejected.get("content") == messages[-1].get("content"):
        raise BadRow(_("The better and the worse answer are the same."))


def check_messages(messages):
    """Raise BadRow unless this is a conversation that a model can learn from."""
    if not isinstance(messages, list) or not messages:
        raise BadRow(_("“messages” must be a list that is not empty."))
    _check_strings(messages)
    for place, message in enumerate(messages, 1):
        try:
            _check_message(message)
        except BadRow as problem:
            raise BadRow(_("Message %(n)d: %(why)s") % {"n": place, "why": problem}) from problem
    if messages[-1]["role"] != "assistant":
        raise BadRow(_("The last message must be the assistant's."))
    if not any(message["role"] == "user" for message in messages):
        raise BadRow(_("There is no message of the user."))
    if all(message.get("weight", 1) == 0 for message in messages if message["role"] == "assistant"):
        raise BadRow(_("All answers have weight 0, so there is nothing to learn."))


def _check_message(message):
    if not isinstance(message, dict):
        raise BadRow(_("it must be an object."))
    role = message.get("role")
    if role not in ROLES:
        raise BadRow(_("the role must be one of %s.") % ", ".join(ROLES))
    unknown = sorted(set(message) - MESSAGE_KEYS)
    if unknown:
        raise BadRow(_("unknown key “%s”.") % unknown[0][:50])
    _check_content(message, role)
    if "name" in message and not (isinstance(message["name"], str) and NAME.match(message["name"])):
        raise BadRow(_("a name has up to 64 Latin letters, digits, “_” and “-”."))
    weight = message.get("weight")
    if "weight" in message and (role != "assistant" or type(weight) is not int or weight not in (0, 1)):
        raise BadRow(_("only an assistant's message has a weight, and it is 0 or 1."))


def _check_content(message, role):
    content, calls = message.get("content"), message.get("tool_calls")
    if calls is not None and not (role == "assistant" and _is_list_of_objects(calls) and calls):
        raise BadRow(_("“tool_calls” must be a list of objects, in a message of the assistant."))
    if content is None and calls:
        return
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not (isinstance(parts, list) and parts and all(map(_is_text_part, parts))):
        raise BadRow(_("the content must be a text or a list of text parts."))
    if not any(_shows(part["text"]) for part in parts):
        raise BadRow(_("the content is empty."))


def _is_list_of_objects(value):
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _shows(text):
    """Whether there is anything to read: not only blanks, hidden tags, and marks of width or direction."""
    return any(not each.isspace() and unicodedata.category(each) not in ("Cc", "Cf") for each in text)


def _is_text_part(part):
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def canonical(value) -> str:
    """JSON that is the same for the same value, whatever database it comes from; role stands before content."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(", ", ": "))


def _ordered(value):
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: (ORDER.get(key, 3), key))}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    if isinstance(value, float) and value.is_integer():  # only PostgreSQL makes a whole number of 1e22
        return int(Decimal(repr(value)))
    return value


def line_of(messages, tools=None, parallel_tool_calls=None) -> str:
    row = {"messages": messages, "tools": tools, "parallel_tool_calls": parallel_tool_calls}
    return canonical({key: value for key, value in row.items() if value is not None})


def preference_of(row: dict, rejected: dict) -> str:
    """The preference row of a chat row whose last message is the better answer."""
    plain = (
        {"role": "assistant", "content": each.get("content")} for each in (row["messages"][-1], rejected)
    )
    better, worse = plain
    asked = {**row, "messages": row["messages"][:-1]}
    return canonical({"input": asked, "preferred_output": [better], "non_preferred_output": [worse]})


def digest(text: str | bytes) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()
