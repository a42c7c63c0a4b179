"""The body of `POST /v1/chat/completions`, checked."""

from dataclasses import dataclass

from engine.api import fields, format_request, tool_request
from engine.errors import invalid
from engine.examples import check_message
from engine.grammar import grammar

MAX_CHOICES = 8
DEFAULT_TOKENS = 1024
# A small model may go on calling for ever.
MAX_CALLS = 16
# What this server cannot do, with the values that ask for nothing.
UNSUPPORTED = {
    "functions": [None, []],
    "function_call": [None],
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
    frequency_penalty: float
    presence_penalty: float
    logit_bias: dict
    top_logprobs: int | None
    stream: bool
    include_usage: bool
    tools: list
    tool_choice: str | dict | None
    parallel_tool_calls: bool | None
    response_format: dict | None

    @property
    def changes_scores(self):
        return bool(self.logit_bias or self.frequency_penalty or self.presence_penalty)

    @property
    def functions(self):
        """Those that a reply may call."""
        functions = [tool["function"] for tool in self.tools]
        if isinstance(self.tool_choice, dict):
            return [each for each in functions if each["name"] == self.tool_choice["function"]["name"]]
        return [] if self.tool_choice == "none" else functions

    @property
    def schema(self):
        """What JSON a reply must be, or None."""
        return self.response_format and format_request.schema_of(self.response_format)

    @property
    def must_call(self):
        return self.tool_choice == "required" or isinstance(self.tool_choice, dict)

    @property
    def most_calls(self):
        return MAX_CALLS if self.parallel_tool_calls and not isinstance(self.tool_choice, dict) else 1

    def grammar(self, encoder):
        """What a reply is held to, or None; raises ApiError where it cannot be."""
        schema = None if self.must_call else self.schema
        functions = self.functions if self.must_call or schema is not None else []
        if schema is None and not functions:
            return None
        for number, tool in enumerate(self.tools):
            if tool["function"] in functions:
                tool_request.check_parameters(tool["function"], f"tools[{number}].function")
        return grammar(encoder.vocabulary, schema, functions, self.most_calls)


def parse(body):
    for name, neutral in UNSUPPORTED.items():
        if body.get(name) not in neutral:
            message = f"Unsupported parameter: '{name}' is not supported by this server."
            raise invalid(name, message, "unsupported_parameter")
    messages = _messages(body)
    stream_options = fields.mapping(body, "stream_options") or {}
    return ChatRequest(
        model=fields.required_text(body, "model"),
        messages=messages,
        max_tokens=_max_tokens(body),
        temperature=fields.number(body, "temperature", 1.0, low=0, high=2),
        top_p=fields.number(body, "top_p", 1.0, low=0, high=1),
        stop=_stop(body),
        seed=fields.integer(body, "seed", low=-(2**63), high=2**63 - MAX_CHOICES),
        n=fields.integer(body, "n", 1, low=1, high=MAX_CHOICES),
        frequency_penalty=fields.number(body, "frequency_penalty", 0.0, low=-2, high=2),
        presence_penalty=fields.number(body, "presence_penalty", 0.0, low=-2, high=2),
        logit_bias=_logit_bias(body),
        top_logprobs=_top_logprobs(body),
        stream=fields.boolean(body, "stream"),
        include_usage=fields.boolean(stream_options, "include_usage"),
        **tool_request.parse(body),
        response_format=format_request.parse(body, messages),
    )


def _logit_bias(body):
    bias = fields.mapping(body, "logit_bias") or {}
    if not all(token.isascii() and token.isdigit() for token in bias):
        raise invalid("logit_bias", "Keys of 'logit_bias' must be token ids.", "invalid_value")
    return {int(token): fields.number(bias, token, 0.0, low=-100, high=100) for token in bias}


def _top_logprobs(body):
    """How many likeliest tokens to tell at each place; None when nothing is to be told of chances."""
    top = fields.integer(body, "top_logprobs", low=0, high=20)
    if fields.boolean(body, "logprobs"):
        return top or 0
    if top is not None:
        raise invalid("top_logprobs", "'top_logprobs' asks for 'logprobs' to be true.", "invalid_value")
    return None


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
