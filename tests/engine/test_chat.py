import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest


def content(completion):
    return completion.choices[0].message.content


def test_a_reply_and_its_usage(client):
    reply = client.ask(max_tokens=5)
    assert reply.object == "chat.completion"
    assert (reply.choices[0].finish_reason, reply.choices[0].message.role) == ("length", "assistant")
    prompt = len("user\n" + "What is a?" + "\n" + "assistant\n") + 3
    assert reply.usage.to_dict() == {
        "prompt_tokens": prompt,
        "completion_tokens": 5,
        "total_tokens": prompt + 5,
    }


def test_temperature_zero_is_greedy(client):
    assert content(client.ask(seed=1)) == content(client.ask(seed=2))


def test_the_same_seed_gives_the_same_reply(client):
    first, same, other = (content(client.ask(temperature=1, seed=seed, max_tokens=30)) for seed in (1, 1, 2))
    assert first == same != other


def test_a_very_small_top_p_is_greedy(client):
    assert content(client.ask(temperature=2, top_p=0.0)) == content(client.ask())


def test_several_choices_differ(client):
    reply = client.ask(n=3, temperature=1, seed=5, max_tokens=10)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in reply.choices}) == 3
    assert reply.usage.completion_tokens == 30


def test_a_stop_string_ends_the_reply_before_itself(client, tuned):
    options = {"model": tuned.fine_tuned_model, "text": "What is d?", "max_tokens": 40}
    stopped = client.ask(**options, stop=[": да"]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("Letter d", "stop")
    streamed = client.ask(**options, stop=": да", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "Letter d"


def test_a_stream_says_what_a_whole_reply_says(client, tuned):
    options = {"model": tuned.fine_tuned_model, "text": "What is d?", "max_tokens": 40}
    whole = client.ask(**options)
    *chunks, last = client.ask(**options, stream=True, stream_options={"include_usage": True})
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(pieces) == content(whole) == "Letter d: да."
    assert not any("\ufffd" in piece for piece in pieces)
    assert len([piece for piece in pieces if piece]) > 5
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert (last.choices, last.usage) == ([], whole.usage)


def test_a_stream_is_asked_for_usage_or_gives_none(client):
    assert all(chunk.usage is None for chunk in client.ask(stream=True))


def test_the_async_client_streams(async_client, tuned):
    async def read():
        messages = [{"role": "user", "content": "What is d?"}]
        stream = await async_client.chat.completions.create(
            model=tuned.fine_tuned_model, messages=messages, temperature=0, max_tokens=40, stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(read()) == "Letter d: да."


def test_replies_do_not_depend_on_their_neighbours(client, tuned):
    """Eight at once, of two models and several lengths, share a batch."""
    asked = [
        (model, f"What is {letter * 7}?") for letter in "abcd" for model in ("tiny", tuned.fine_tuned_model)
    ]
    ask = lambda pair: content(client.ask(*pair, max_tokens=24))  # noqa: E731
    alone = [ask(pair) for pair in asked]
    with ThreadPoolExecutor(8) as together:
        assert list(together.map(ask, asked)) == alone


def seconds_until_next_reply(client):
    began = time.monotonic()
    client.ask(max_tokens=1)
    return time.monotonic() - began


ENDLESS = {"text": "Never end.", "max_tokens": 4000}  # 1,197 tokens, which take many seconds


def test_a_chat_need_not_wait_for_a_longer_one(client):
    with client.ask(**ENDLESS, stream=True) as stream:
        chunks = iter(stream)
        next(chunks)
        assert seconds_until_next_reply(client) < 4
        assert not any(choice.finish_reason for choice in next(chunks).choices)


@pytest.mark.parametrize("options", [{}, {"temperature": 1, "seed": 3}])
def test_a_reply_joined_by_another_stays_the_same(client, options):
    options = {"text": "Go on.", "max_tokens": 100} | options
    alone = content(client.ask(**options))
    pieces = []
    for chunk in client.ask(**options, stream=True):
        pieces.append(chunk.choices[0].delta.content or "")
        if len(pieces) == 5:
            client.ask(max_tokens=1)
    assert "".join(pieces) == alone


def test_a_client_that_hangs_up_stops_its_reply(client):
    with client.ask(**ENDLESS, stream=True) as stream:
        next(iter(stream))
    assert seconds_until_next_reply(client) < 4
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5).ask(**ENDLESS)
    assert seconds_until_next_reply(client) < 4


def test_a_shared_beginning_is_read_once_and_changes_nothing(client):
    beginning = "The same instructions for everyone. " * 20
    first, again = (content(client.ask(text=beginning + "One", max_tokens=20)) for _ in range(2))
    other = content(client.ask(text=beginning + "Two", max_tokens=20))
    assert first == again
    assert content(client.ask(text=beginning + "Two", max_tokens=20)) == other


def test_chances_are_told_where_they_are_asked_for(client):
    entries = client.ask(logprobs=True, top_logprobs=3, max_tokens=5).choices[0].logprobs.content
    assert len(entries) == 5
    for entry in entries:
        assert entry.logprob == max(top.logprob for top in entry.top_logprobs) <= 0
        assert len(entry.top_logprobs) == 3 and len(entry.bytes) == 1
    streamed = [
        entry
        for chunk in client.ask(logprobs=True, top_logprobs=3, max_tokens=5, stream=True)
        for entry in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else [])
    ]
    assert [entry.token for entry in streamed] == [entry.token for entry in entries]


def test_a_bias_and_penalties_change_the_choice(client):
    forced = client.ask(logit_bias={"50": 100}, logprobs=True, max_tokens=4).choices[0].logprobs.content
    assert len({entry.token for entry in forced}) == 1
    varied = client.ask(frequency_penalty=2, logit_bias={"50": 20, "51": 19}, logprobs=True, max_tokens=4)
    assert len({entry.token for entry in varied.choices[0].logprobs.content}) == 2


def test_parts_of_text_are_joined(client):
    parts = [{"type": "text", "text": "What is"}, {"type": "text", "text": " a?"}]
    assert client.ask(text=parts).to_dict()["choices"] == client.ask().to_dict()["choices"]


REFUSED = [
    ({"model": "gpt-4o"}, "model", "model_not_found"),
    ({"messages": []}, "messages", "invalid_type"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": [{"role": "pirate", "content": "x"}]}, "messages[0]", None),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0]", None),
    ({"messages": [{"role": "user", "content": "a" * 5000}]}, "messages", "context_length_exceeded"),
    ({"temperature": 2.1}, "temperature", "invalid_value"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": -0.1}, "top_p", "invalid_value"),
    ({"max_tokens": 0}, "max_tokens", "invalid_value"),
    ({"max_tokens": -1}, "max_tokens", "invalid_value"),
    ({"max_tokens": "5"}, "max_tokens", "invalid_type"),
    ({"max_completion_tokens": 10**9}, "max_completion_tokens", "invalid_value"),
    ({"n": 1000}, "n", "invalid_value"),
    ({"seed": 1.5}, "seed", "invalid_type"),
    ({"stop": [""]}, "stop", "invalid_type"),
    ({"stop": ["a"] * 5}, "stop", "invalid_type"),
    ({"stop": 7}, "stop", "invalid_type"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"stream_options": []}, "stream_options", "invalid_type"),
    ({"functions": [{"name": "f"}]}, "functions", "unsupported_parameter"),
    ({"function_call": "auto"}, "function_call", "unsupported_parameter"),
    ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "invalid_value"),
    ({"presence_penalty": 3}, "presence_penalty", "invalid_value"),
    ({"logit_bias": {"a": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"99999": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"5": 101}}, "5", "invalid_value"),
    ({"modalities": ["audio"]}, "modalities", "unsupported_parameter"),
]


@pytest.mark.parametrize(("options", "param", "code"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_parameter_is_named(client, options, param, code):
    body = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]} | options
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as caught:
        client.post("/chat/completions", body=body, cast_to=object)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"model": "\\ud800"}'])
def test_a_body_that_is_no_object_is_refused(client, body):
    headers = {"Content-Type": "application/json"}
    with pytest.raises(openai.BadRequestError):
        client.post("/chat/completions", content=body, cast_to=object, options={"headers": headers})


def test_a_body_without_end_is_cut_off(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.post("/chat/completions", content=json.dumps("x" * 17_000_000).encode(), cast_to=object)
    assert caught.value.status_code == 413
