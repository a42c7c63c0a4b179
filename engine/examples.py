"""Read training examples from JSONL, line by line, and refuse what cannot be trained on."""

import codecs
import json
import math

ROLES = {"system", "developer", "user", "assistant", "tool"}
MAX_LINE = 8 * 2**20
MAX_DEPTH = 64


class InvalidFile(Exception):
    """The message names the line."""


def read_examples(path, method="supervised"):
    """Yield (line number, example) for every line of the file; raises InvalidFile."""
    check = CHECKS[method]
    blank = None
    with open(path, "rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
            if not raw.strip():
                blank = blank or number
                continue
            try:
                if blank:
                    number = blank
                    raise ValueError("the line is blank")
                yield number, parse_example(raw, check, first=number == 1)
            except ValueError as error:
                raise InvalidFile(f"Line {number}: {error}") from error


def parse_example(raw, check=None, first=False):
    """One line's bytes to a checked example; raises ValueError."""
    if len(raw) > MAX_LINE:
        raise ValueError(f"the line is longer than {MAX_LINE // 2**20} MB")
    if first and raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("the file begins with a byte order mark; save it as UTF-8 without one")
    example = _object(raw)
    (check or check_example)(example)
    return example


def parse_object(text):
    """The object that a string of JSON holds; raises ValueError."""
    return _object(text.encode())


def _object(raw):
    value = _parse_json(raw)
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value


def _parse_json(raw):
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1} of the line") from error
    try:
        value = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite
        )
        deep = _depth(value) > MAX_DEPTH
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at column {error.colno}") from error
    except RecursionError:
        deep = True
    if deep:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _unique_keys(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} appears twice in one object")
    return found


def _no_constant(name):
    raise ValueError(f"{name} is not valid JSON")


def _finite(digits):
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is out of range")
    return number


def _depth(value):
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, children), default=0)


def _check_surrogates(value):
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair stands alone in an escape") from error


def check_example(example):
    """Raise ValueError unless the object is a chat that ends with a reply worth learning from."""
    messages = _checked_messages(example)
    replies = [message for message in messages if message["role"] == "assistant"]
    if not replies:
        raise ValueError("at least one message must be from the assistant")
    if messages[-1]["role"] != "assistant":
        raise ValueError("the last message must be from the assistant")
    for reply in replies:
        _check_weight(reply)
    if not any(reply.get("weight", 1) for reply in replies):
        raise ValueError("every assistant message has weight 0, so there is nothing to learn")


def check_preference(example):
    """Raise ValueError unless the object is a chat with one reply that is preferred to another."""
    asked = example.get("input")
    if not isinstance(asked, dict):
        raise ValueError("expected an object under the key 'input'")
    try:
        _checked_messages(asked)
    except ValueError as error:
        raise ValueError(f"input: {error}") from error
    if asked["messages"][-1]["role"] == "assistant":
        raise ValueError("input: the last message may not be from the assistant")
    preferred, other = (_only_reply(example, name) for name in ("preferred_output", "non_preferred_output"))
    if preferred == other:
        raise ValueError("the preferred and the non-preferred output are the same")


def _only_reply(example, name):
    outputs = example.get(name)
    if not isinstance(outputs, list) or len(outputs) != 1:
        raise ValueError(f"expected a list of one message under the key '{name}'")
    try:
        check_message(outputs[0])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if outputs[0]["role"] != "assistant":
        raise ValueError(f"{name}: the message must be from the assistant")
    return outputs[0]


CHECKS = {"supervised": check_example, "dpo": check_preference}


def _checked_messages(chat):
    messages = chat.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ValueError("expected a non-empty list under the key 'messages'")
    for number, message in enumerate(messages, start=1):
        try:
            check_message(message)
        except ValueError as error:
            raise ValueError(f"message {number}: {error}") from error
    if not isinstance(chat.get("tools", []), list):
        raise ValueError("'tools' must be a list")
    return messages


def check_message(message):
    """Raise ValueError unless this is a message of the chat protocol, in text."""
    if not isinstance(message, dict):
        raise ValueError("expected an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise ValueError(f"the role must be one of {', '.join(sorted(ROLES))}, not {_shown(role)}")
    content = message.get("content")
    if content is None:
        if role != "assistant" or not message.get("tool_calls"):
            raise ValueError("'content' is missing")
    elif isinstance(content, list):
        _check_parts(content)
    elif not isinstance(content, str):
        raise ValueError("'content' must be a string or a list of text parts")
    elif role == "assistant" and not content.strip() and not message.get("tool_calls"):
        raise ValueError("the assistant's 'content' is empty")
    _check_calls(message.get("tool_calls") or [], role)
    if role == "tool" and not _is_text(message.get("tool_call_id")):
        raise ValueError("a tool's message must have a 'tool_call_id'")
    if "weight" in message and role != "assistant":
        raise ValueError("only assistant messages may carry a 'weight'")


def _check_calls(calls, role):
    if not isinstance(calls, list):
        raise ValueError("'tool_calls' must be a list")
    if calls and role != "assistant":
        raise ValueError("only the assistant may have 'tool_calls'")
    for number, call in enumerate(calls):
        try:
            _check_call(call)
        except ValueError as error:
            raise ValueError(f"tool_calls[{number}]: {error}") from error


def _check_call(call):
    if not isinstance(call, dict) or call.get("type", "function") != "function":
        raise ValueError("expected an object of the type 'function'")
    if not _is_text(call.get("id")):
        raise ValueError("expected a text under 'id'")
    function = call.get("function")
    if not isinstance(function, dict) or not _is_text(function.get("name")):
        raise ValueError("expected an object with a 'name' under 'function'")
    if not isinstance(function.get("arguments"), str):
        raise ValueError("'arguments' must be JSON in a string")
    try:
        parse_object(function["arguments"])
    except ValueError as error:
        raise ValueError(f"'arguments' must hold a JSON object: {error}") from error


def _is_text(value):
    return isinstance(value, str) and bool(value)


def _check_parts(parts):
    for part in parts:
        if not isinstance(part, dict) or part.get("type") != "text":
            raise ValueError("only text parts can be used")
        if not isinstance(part.get("text"), str):
            raise ValueError("a text part must have a string under 'text'")


def _check_weight(message):
    weight = message.get("weight", 1)
    if isinstance(weight, bool) or weight not in (0, 1):
        raise ValueError(f"'weight' must be 0 or 1, not {_shown(weight)}")


def _shown(value):
    """A value for an error message, cut so that a hostile one cannot fill the log."""
    return json.dumps(value, ensure_ascii=False)[:60]
