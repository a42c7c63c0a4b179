"""What a reply may be, token by token: JSON that matches a schema, or calls of functions."""

import json

import numpy
from llguidance import LLMatcher, LLParserLimits, LLTokenizer

from engine.tool_calls import CLOSE, OPEN

# One blank at most, where models put it: given more, a small model may write blanks for ever.
LAYOUT = {"whitespace_flexible": False, "item_separator": ", ?", "key_separator": ": ?"}
# A text without choice is else read as the tokenizer would: "<|end|>" in a schema would end the reply.
OPTIONS = '%llguidance {"no_forcing": true}'
LIMITS = LLParserLimits(verbose_errors=False)
BYTES = LLTokenizer("byte")
NO_PARAMETERS = {"type": "object", "additionalProperties": False}


class Guide:
    """One reply's way through a grammar: the `tokens` that may come next, and whether it is `done`.

    Raises ValueError where the grammar is none, or leads nowhere.
    """

    def __init__(self, tokenizer, grammar):
        self._matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=LIMITS)
        self._look()

    def take(self, token):
        self._matcher.consume_token(token)
        self._look()

    def _look(self):
        bits = numpy.frombuffer(self._matcher.compute_bitmask(), numpy.uint8)
        self.tokens = numpy.flatnonzero(numpy.unpackbits(bits, bitorder="little"))
        self.done = self._matcher.is_stopped()
        if self._matcher.is_error():
            raise ValueError(_words(self._matcher.get_error()))


def _words(error):
    if error.startswith("NoExtension"):
        return "nothing that ends can match it"
    return " ".join(error.removesuffix("<non-verbose/>").split())[:300]


def check_schema(schema):
    """Raise ValueError, which names the fault, unless replies can be held to this JSON schema."""
    Guide(BYTES, LLMatcher.grammar_from_json_schema(_laid_out(schema)))


def grammar(vocabulary, schema, functions, most):
    """JSON that matches the schema, or one to `most` calls of these functions, or, where both are given, either."""
    names = [f"f{number}" for number in range(len(functions))]
    rules = {"start": " | ".join(["json"] * (schema is not None) + ["calls"] * bool(functions))}
    if schema is not None:
        rules["json"] = _json(schema)
    if functions:
        rules["calls"] = "call" + (rf' ("\n" call){{0,{most - 1}}}' if most > 1 else "")
        tags = [_tag(vocabulary, text) for text in (OPEN, CLOSE)]
        rules["call"] = r'{} "\n" ({}) "\n" {}'.format(tags[0], " | ".join(names), tags[1])
    for name, function in zip(names, functions, strict=True):
        head = f'{{"name": {json.dumps(function["name"])}, "arguments": '
        # A rule of its own, so that a schema's references find the schema's root.
        rules[name] = f'{json.dumps(head)} {name}a "}}"'
        rules[f"{name}a"] = _json(function.get("parameters") or NO_PARAMETERS)
    lines = [f"{name}: {rule}" for name, rule in rules.items()]
    return LLMatcher.grammar_from_lark("\n".join([OPTIONS, *lines]))


def _tag(vocabulary, text):
    """The tag's own token, where the model has one."""
    ids = vocabulary.tokenize_str(text)
    return f"<[{ids[0]}]>" if len(ids) == 1 else json.dumps(text)


def _json(schema):
    return f"%json {json.dumps(_laid_out(schema))}"


def _laid_out(schema):
    return {**schema, "x-guidance": LAYOUT}
