"""The body of `POST /v1/chat/completions`, checked."""

from dataclasses import dataclass

from engine.api import fields
from engine.errors import invalid
from engine.examples import check_message

MAX_CHOICES = 8
DEFAULT_TOKENS = 1024
# What this server cannot do, with the values that ask for nothing.
UNSUPPORTED = {
    "tools": [None, []],
    "functions": [None, []],
    "logprobs": [None, False],
    "frequency_penalty": [None, 0],
    "presence_penalty": [None, 0],
    "logit_bias": [None, {}],
    "response_format": [None, {"type": "text"}],
    "modalities": [None, ["text"]],
    "audio": [None],
}


@dataclass(frozen=True)
class ChatRequest:
    model: str
    messages: list
    max_tokens: int
    temperature: float
    top_p: float
    stop: list
    seed: int | None
    n: int
    stream: bool
    include_usage: bool


def parse(body):
    for name, neutral in UNSUPPORTED.items():
        if body.get(name) not in neutral:
            message = f"Unsupported parameter: '{name}' is not supported by this server."
            raise invalid(name, message, "unsupported_parameter")
    stream_options = fields.mapping(body, "stream_options") or {}
    return ChatRequest(
        model=fields.required_text(body, "model"),
        messages=_messages(body),
        max_tokens=_max_tokens(body),
        temperature=fields.number(body, "temperature", 1.0, low=0, high=2),
        top_p=fields.number(body, "top_p", 1.0, low=0, high=1),
        stop=_stop(body),
        seed=fields.integer(body, "seed", low=-(2**63), high=2**63 - MAX_CHOICES),
        n=fields.integer(body, "n", 1, low=1, high=MAX_CHOICES),
        stream=fields.boolean(body, "stream"),
        include_usage=fields.boolean(stream_options, "include_usage"),
    )


def _messages(body):
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "'messages' must be a non-empty list.", "invalid_type")
    for number, message in enumerate(messages):
        try:
            check_message(message)
        except ValueError as error:
            raise invalid(f"messages[{number}]", f"Invalid 'messages[{number}]': {error}.") from error
    return messages


def _max_tokens(body):
    tokens = fields.integer(body, "max_completion_tokens", low=1, high=10**6)
    return tokens or fields.integer(body, "max_tokens", DEFAULT_TOKENS, low=1, high=10**6)


def _stop(body):
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(s, str) and s for s in stops):
        raise invalid("stop", "'stop' must be a string or a list of at most 4 strings.", "invalid_type")
    return stops
