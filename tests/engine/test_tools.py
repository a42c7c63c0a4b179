"""Tools: what the model is told of them, what it may write, and what a client reads."""

import asyncio
import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel

from engine.encoding import ChatEncoder
from engine.tiny import CHAT_TEMPLATE, TOOLS, write_tiny_model
from tests.engine.talk import Client, jsonl
from tests.engine_process import EngineProcess

PARAMETERS = {
    "type": "object",
    "properties": {"unit": {"enum": ["C", "F"]}, "now": {"type": "boolean"}},
    "required": ["unit", "now"],
    "additionalProperties": False,
}


def tool(name="weather", parameters=PARAMETERS, **more):
    return {"type": "function", "function": {"name": name, "parameters": parameters} | more}


def called(id, name="weather", arguments='{"unit": "C", "now": true}'):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(id, content):
    return {"role": "tool", "tool_call_id": id, "content": content}


TWO = [tool(description="The weather now", strict=True), tool("stop", None)]
NAMED = {"type": "function", "function": {"name": "weather"}}
USER = {"role": "user", "content": "How is it?"}
CALLING = {"role": "assistant", "content": "Hm.", "tool_calls": [called("a"), called("b", "stop", "{}")]}
CHAT = [USER, CALLING, result("a", "18 °C"), result("b", "ok"), {"role": "assistant", "content": "Warm."}]


def pairs(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


def check(message):
    for name, arguments in pairs(message):
        assert name in ("weather", "stop")
        assert arguments.keys() == ({"unit", "now"} if name == "weather" else set())


def test_a_call_is_forced_and_valid(client):
    options = {"tools": TWO, "tool_choice": "required", "parallel_tool_calls": False}
    choices = client.ask(**options, temperature=2, n=4, seed=1, max_tokens=300).choices
    for choice in choices:
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
        assert len(choice.message.tool_calls) == 1
        check(choice.message)
    assert len({choice.message.tool_calls[0].id for choice in choices}) == 4


def test_a_named_function_is_called_once(client):
    choice = client.ask(tools=TWO, tool_choice=NAMED, max_tokens=300).choices[0]
    assert (choice.finish_reason, [name for name, _ in pairs(choice.message)]) == ("tool_calls", ["weather"])


def test_several_calls_may_be_required(client):
    choice = client.ask(tools=TWO, tool_choice="required", max_tokens=2000).choices[0]
    assert choice.finish_reason == "tool_calls" and len(choice.message.tool_calls) > 1
    check(choice.message)


def test_a_call_that_is_cut_off_is_no_text(client):
    choice = client.ask(tools=TWO, tool_choice="required", max_tokens=30).choices[0]
    assert (choice.finish_reason, choice.message.content, choice.message.tool_calls) == ("length", "", None)


def test_a_reply_in_json_may_be_a_call_instead(client):
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": PARAMETERS}}
    options = {"tools": TWO, "response_format": form, "parallel_tool_calls": False, "max_tokens": 300}
    choices = client.ask(**options, temperature=2, n=8, seed=1).choices
    texts = [choice.message.content for choice in choices if choice.finish_reason == "stop"]
    assert 0 < len(texts) < 8
    assert all(json.loads(text).keys() == {"unit", "now"} for text in texts)


class Forecast(BaseModel):
    """The weather."""

    unit: Literal["C", "F"]
    days: list[bool]


def test_the_sdk_reads_calls_into_models(client):
    options = {"model": "tiny", "messages": [USER], "tools": [openai.pydantic_function_tool(Forecast)]}
    options |= {"tool_choice": "required", "parallel_tool_calls": False, "seed": 4}
    [call] = client.chat.completions.parse(**options).choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, Forecast)
    with client.chat.completions.stream(**options) as stream:
        [streamed] = stream.get_final_completion().choices[0].message.tool_calls
    assert streamed.function.parsed_arguments == call.function.parsed_arguments


SHORT = [tool("go", {"type": "object"}), tool("stop", None)]
ASKED = {"text": "How is d?", "tools": SHORT, "max_tokens": 200}
BOTH = [("go", {"to": "дом"}), ("stop", {})]


@pytest.fixture(scope="module")
def caller(client):
    """A model that has learned to call both functions, after a word."""
    calls = [called("a", "go", '{"to": "дом"}'), called("b", "stop", "{}")]
    reply = {"role": "assistant", "content": "Hm.", "tool_calls": calls}
    questions = [{"role": "user", "content": f"How is {letter}?"} for letter in "abcdefghijkl"]
    examples = jsonl({"tools": SHORT, "messages": [question, reply]} for question in questions)
    numbers = {"n_epochs": 12, "learning_rate_multiplier": 4}
    job = client.wait(client.start(examples, seed=7, hyperparameters=numbers))
    assert job.status == "succeeded", client.messages(job)
    return job.fine_tuned_model


def test_a_trained_model_calls_by_itself(client, caller):
    choice = client.ask(caller, **ASKED).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Hm.")
    assert pairs(choice.message) == BOTH


def test_a_stream_shows_calls_whole_and_no_part_of_a_tag(client, caller):
    content, calls, finish = [], [], None
    for chunk in client.ask(caller, **ASKED, stream=True):
        [choice] = chunk.choices
        content += [choice.delta.content or ""]
        calls += choice.delta.tool_calls or []
        finish = choice.finish_reason or finish
    assert ("".join(content), finish) == ("Hm.", "tool_calls")
    assert [call.index for call in calls] == [0, 1]
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == BOTH


def test_only_one_call_where_more_are_not_wanted(client, caller):
    reply = client.ask(caller, **ASKED, parallel_tool_calls=False)
    assert pairs(reply.choices[0].message) == BOTH[:1]
    assert reply.usage.completion_tokens < client.ask(caller, **ASKED).usage.completion_tokens


def test_no_tools_are_shown_where_none_may_be_called(client):
    without = client.ask(max_tokens=1).usage.prompt_tokens
    assert client.ask(max_tokens=1, tools=TWO, tool_choice="none").usage.prompt_tokens == without
    assert client.ask(max_tokens=1, tools=TWO).usage.prompt_tokens > without


def test_a_chat_goes_on_after_the_results(client):
    asked = {"model": "tiny", "messages": CHAT[:-1], "tools": TWO, "max_tokens": 3}
    assert client.chat.completions.create(**asked).choices


def test_the_async_client_gets_calls(async_client):
    asked = {"model": "tiny", "messages": [USER], "tools": TWO, "tool_choice": NAMED}
    message = asyncio.run(async_client.chat.completions.create(**asked)).choices[0].message
    check(message)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return ChatEncoder.load(write_tiny_model(tmp_path_factory.mktemp("tiny")))


def test_arguments_are_shown_as_json_and_not_as_a_string(encoder):
    shown = encoder.tokenizer.decode(encoder.prompt(CHAT[:-1], TWO))
    assert json.dumps(TWO[0], ensure_ascii=False) in shown
    assert '<tool_call>\n{"name": "weather", "arguments": {"unit": "C", "now": true}}\n</tool_call>' in shown


def test_calls_are_learned_and_their_results_are_not(encoder):
    example = encoder.example({"messages": CHAT, "tools": TWO})
    learned = [token for token, trained in zip(example.ids, example.trained, strict=True) if trained]
    calls = [
        f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'
        for name, arguments in [("weather", {"unit": "C", "now": True}), ("stop", {})]
    ]
    assert encoder.tokenizer.decode(learned) == "Hm." + "\n".join(calls) + "<|im_end|>Warm.<|im_end|>"


def test_a_template_without_tools_is_told_of(tmp_path):
    engine = EngineProcess(tmp_path)
    config = write_tiny_model(engine.tiny) / "tokenizer_config.json"
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"chat_template": CHAT_TEMPLATE.replace(TOOLS, "")}))
    examples = jsonl([{"messages": CHAT, "tools": TWO}] * 10)
    with engine:
        client = Client.of(engine)
        with pytest.raises(openai.BadRequestError, match="template of 'tiny' knows no tools") as caught:
            client.ask(tools=TWO)
        assert (caught.value.param, caught.value.code) == ("tools", "unsupported_parameter")
        assert client.ask(tools=TWO, tool_choice="none").choices
        assert "knows no tools" in client.wait(client.start(examples)).error.message


BAD = {"type": "object", "properties": {"x": {"type": "nope"}}}
FUNCTION, NAME = "tools[0].function", "tools[0].function.name"
REFUSED = [
    ({"tools": {}}, "tools", "invalid_type"),
    ({"tools": [tool(f"f{n}") for n in range(129)]}, "tools", "invalid_type"),
    ({"tools": ["x"]}, "tools[0]", "invalid_type"),
    ({"tools": [tool() | {"type": "custom"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, FUNCTION, "invalid_type"),
    ({"tools": [tool(None)]}, NAME, "invalid_type"),
    ({"tools": [tool("a b")]}, NAME, "invalid_value"),
    ({"tools": [tool("")]}, NAME, "invalid_value"),
    ({"tools": [tool(), tool()]}, "tools[1].function.name", "invalid_value"),
    ({"tools": [tool(description=1)]}, f"{FUNCTION}.description", "invalid_type"),
    ({"tools": [tool(strict=1)]}, f"{FUNCTION}.strict", "invalid_type"),
    ({"tools": [tool(parameters=[])]}, f"{FUNCTION}.parameters", "invalid_type"),
    ({"tools": [tool(parameters={"type": "array"})]}, f"{FUNCTION}.parameters", "invalid_function_parameters"),
    ({"tools": [tool(parameters=BAD)], "tool_choice": "required"}, f"{FUNCTION}.parameters", "invalid_function_parameters"),
    ({"tool_choice": "auto"}, "tool_choice", "invalid_value"),
    ({"tools": [], "parallel_tool_calls": True}, "parallel_tool_calls", "invalid_value"),
    ({"tools": TWO, "parallel_tool_calls": 1}, "parallel_tool_calls", "invalid_type"),
    ({"tools": TWO, "tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"tools": TWO, "tool_choice": []}, "tool_choice", "invalid_type"),
    ({"tools": TWO, "tool_choice": {"type": "custom"}}, "tool_choice.type", "invalid_value"),
    ({"tools": TWO, "tool_choice": {"type": "function"}}, "tool_choice.function.name", "invalid_value"),
    ({"tools": TWO, "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice.function.name", "invalid_value"),
    ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1]", None),
    ({"messages": [USER | {"tool_calls": [called("a")]}]}, "messages[0]", None),
]  # fmt: skip
CALLS = ["x", {}, called(""), called("a", ""), called("a", "x", {}), called("a", "x", "no"), called("a", "x", "[]"), called("a", "x", '{"a": NaN}'), called("a") | {"type": "custom"}]  # fmt: skip
REFUSED += [({"messages": [USER, CALLING | {"tool_calls": [call]}]}, "messages[1]", None) for call in CALLS]


@pytest.mark.parametrize(("options", "param", "code"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_field_is_named(client, options, param, code):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"model": "tiny", "messages": [USER]} | options, cast_to=object)
    assert (caught.value.param, caught.value.code) == (param, code)
