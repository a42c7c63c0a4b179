"""JSON mode: whatever a model would rather say, its reply is JSON, of the schema that was asked for."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import openai
import pytest
from pydantic import BaseModel


class Weather(BaseModel):
    sky: Literal["clear", "дождь"]
    cold: bool
    tomorrow: "Weather | None"


SCHEMA = {
    "type": "object",
    "properties": {"sky": {"enum": ["clear", "дождь"]}, "cold": {"type": "boolean"}},
    "required": ["sky", "cold"],
    "additionalProperties": False,
}


def form(schema=SCHEMA, **more):
    return {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema} | more}


def test_a_reply_is_json_of_its_schema_and_then_ends(client):
    options = {"temperature": 2, "n": 4, "seed": 1, "max_tokens": 100}
    for choice in client.ask(response_format=form(strict=True), **options).choices:
        answer = json.loads(choice.message.content)
        assert (choice.finish_reason, answer.keys()) == ("stop", {"sky", "cold"})
        assert answer["sky"] in ("clear", "дождь") and isinstance(answer["cold"], bool)


def test_the_sdk_reads_a_reply_into_a_model(client):
    messages = [{"role": "user", "content": "How is the weather?"}]
    options = {"model": "tiny", "messages": messages, "response_format": Weather, "seed": 3}
    parsed = client.chat.completions.parse(**options).choices[0].message.parsed
    with client.chat.completions.stream(**options) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == parsed
    assert isinstance(parsed, Weather)
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**options, max_tokens=5)


def test_the_async_client_reads_it_too(async_client):
    messages = [{"role": "user", "content": "How is the weather?"}]
    asked = async_client.chat.completions.parse(model="tiny", messages=messages, response_format=Weather)
    assert isinstance(asyncio.run(asked).choices[0].message.parsed, Weather)


def test_an_object_of_any_kind(client):
    options = {"response_format": {"type": "json_object"}, "temperature": 1, "max_tokens": 40}
    for seed in range(3):
        [choice] = client.ask(text="Give me JSON.", seed=seed, **options).choices
        assert choice.message.content.startswith("{")
        assert choice.finish_reason == "length" or isinstance(json.loads(choice.message.content), dict)


def test_plain_text_may_be_asked_for(client):
    assert client.ask(response_format={"type": "text"}).choices[0].message == client.ask().choices[0].message


def test_chances_are_the_models_own(client):
    """So the token that was allowed is told to be unlikely, and every number is finite."""
    options = {"logprobs": True, "top_logprobs": 2, "max_tokens": 3}
    free = client.ask(**options).choices[0].logprobs.content
    held = client.ask(**options, response_format=form()).choices[0].logprobs.content
    assert [entry.token for entry in held] == ["{", '"', "s"]
    assert held[0].top_logprobs == free[0].top_logprobs
    assert held[0].logprob < held[0].top_logprobs[-1].logprob


def test_a_grammar_does_not_touch_its_neighbours(client):
    plain = [{"text": f"What is {letter}?", "max_tokens": 40} for letter in "abcd"]
    held = [{"text": "How is it?", "max_tokens": 40, "response_format": form()}] * 4
    ask = lambda options: client.ask(**options).choices[0].message.content  # noqa: E731
    alone = [ask(options) for options in plain + held]
    with ThreadPoolExecutor(8) as together:
        assert list(together.map(ask, plain + held)) == alone


REFUSED = [
    ("json", "response_format", "invalid_type"),
    ({"type": "xml"}, "response_format.type", "invalid_value"),
    ({}, "response_format.type", "invalid_value"),
    ({"type": "json_object"}, "messages", None),
    ({"type": "json_schema"}, "response_format.json_schema", "invalid_type"),
    (form(name=None), "response_format.json_schema.name", "invalid_type"),
    (form(name="a b"), "response_format.json_schema.name", "invalid_value"),
    (form(name="a" * 65), "response_format.json_schema.name", "invalid_value"),
    (form(strict="yes"), "response_format.json_schema.strict", "invalid_type"),
    (form(description=1), "response_format.json_schema.description", "invalid_type"),
    (form(None), "response_format.json_schema.schema", "invalid_type"),
]


@pytest.mark.parametrize(("response_format", "param", "code"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_form_is_named(client, response_format, param, code):
    with pytest.raises(openai.BadRequestError) as caught:
        client.ask(response_format=response_format)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "nope"}, "Invalid type: nope"),
        ({"type": "object", "properties": []}, "properties must be an object"),
        ({"not": {"type": "string"}}, "not"),
        ({"$ref": "#/$defs/none"}, "/$defs/none"),
        ({"$ref": "https://example.org/schema"}, "example.org"),
        ({"$ref": "#"}, "nothing that ends"),
        ({"type": "string", "pattern": "(?=a)"}, "look-ahead"),
        ({"x-guidance": {"lenient": True}, "if": {}}, "if"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused_with_the_reason(client, schema, word):
    with pytest.raises(openai.BadRequestError, match="Invalid schema") as caught:
        client.ask(response_format=form(schema))
    assert word in caught.value.body["message"]
    assert caught.value.param == "response_format.json_schema.schema"
