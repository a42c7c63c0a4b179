"""Calls of functions: as chat templates want them, and as models write them."""

import json
import re
from typing import NamedTuple

from engine.examples import parse_object
from engine.store import new_id

OPEN, CLOSE = "<tool_call>", "</tool_call>"
BLOCK = re.compile(rf"{OPEN}((?:(?!{OPEN}).)*?){CLOSE}", re.DOTALL)


class Call(NamedTuple):
    name: str
    arguments: str

    def shown(self, index):
        """As a stream tells it."""
        return {"index": index, "id": new_id("call_"), "type": "function", "function": self._asdict()}


def for_template(call):
    """A call of the protocol, whose arguments are JSON in a string, as templates know it: with an object."""
    function = call["function"]
    return {**call, "function": {**function, "arguments": parse_object(function["arguments"])}}


def split(text, names, most, finish):
    """(content, calls) of what was written so far, as far as both are sure to stay.

    A block that is no valid call of one of these names is content. What may yet become a call is content only
    when the reply has ended by itself: a reply that was cut off keeps back half a call.
    """
    content, calls, place = "", [], 0
    while len(calls) < most and (block := BLOCK.search(text, place)):
        call = _call(block[1], names)
        content += text[place : block.start() if call else block.end()]
        calls += [call] if call else []
        place = block.end()
    if len(calls) < most:
        content += text[place:] if finish == "stop" else before_mark(text[place:], [OPEN])
    return content.strip(), calls


def before_mark(text, marks):
    """The text up to the first mark, or to a tail that may be the beginning of one."""
    ends = [place for place in map(text.find, marks) if place >= 0]
    tails = [mark[:length] for mark in marks for length in range(1, len(mark))]
    ends += [len(text) - len(tail) for tail in tails if text.endswith(tail)]
    return text[: min(ends, default=len(text))]


def _call(block, names):
    """The Call, or None where the block is none."""
    try:
        call = parse_object(block)
    except ValueError:
        return None
    name, arguments = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or name not in names or not isinstance(arguments, dict):
        return None
    return Call(name, json.dumps(arguments, ensure_ascii=False))
