"""The official client, pointed at our endpoint with a token of ours."""

import asyncio

import openai
import pytest


@pytest.fixture
def client(site, api):
    return openai.OpenAI(base_url=f"{site.url}/api/v1", api_key=api.token, max_retries=0)


@pytest.fixture
def model(published):
    return f"assistant-{published}"


ASK = [{"role": "user", "content": "What is the ember watch?"}]


def test_models_are_listed_and_retrieved(client, model):
    assert model in [each.id for each in client.models.list()]
    assert client.models.retrieve(model).object == "model"


def test_a_whole_answer_has_its_usage(client, model):
    reply = client.chat.completions.create(model=model, messages=ASK, max_tokens=8)
    assert reply.object == "chat.completion" and reply.choices[0].message.role == "assistant"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0
    assert reply.usage.completion_tokens <= 8


def test_a_streamed_answer_is_the_whole_one_in_pieces(client, model):
    whole = client.chat.completions.create(model=model, messages=ASK, max_tokens=12, temperature=0)
    with client.chat.completions.create(
        model=model,
        messages=ASK,
        max_tokens=12,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        pieces = list(stream)
    told = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert told == whole.choices[0].message.content
    assert pieces[-1].usage.completion_tokens == whole.usage.completion_tokens


async def _ask(site, api, model):
    async with openai.AsyncOpenAI(base_url=f"{site.url}/api/v1", api_key=api.token) as client:
        return await client.chat.completions.create(model=model, messages=ASK, max_tokens=4)


def test_the_asynchronous_client_is_answered_too(site, api, model):
    assert asyncio.run(_ask(site, api, model)).choices[0].message.role == "assistant"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refusal:
        client.chat.completions.create(model="assistant-999999", messages=ASK)
    assert refusal.value.code == "model_not_found"


def test_a_wrong_key_is_refused(site, model):
    client = openai.OpenAI(base_url=f"{site.url}/api/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=model, messages=ASK)


@pytest.mark.parametrize(
    "field",
    [
        {"max_tokens": -1},
        {"max_tokens": "many"},
        {"temperature": 9},
        {"messages": []},
        {"stop": [1]},
        {"messages": "x"},
    ],
)
def test_a_bad_field_is_named(client, model, field):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(**{"model": model, "messages": ASK, **field})
    assert refusal.value.param == next(iter(field))


def test_an_address_or_key_in_the_body_is_not_passed_on(client, model):
    extra = {"base_url": "http://127.0.0.1:9/", "api_key": "stolen", "n": 1000}
    assert client.chat.completions.create(model=model, messages=ASK, max_tokens=2, extra_body=extra).choices
