"""Vectors of texts: their meaning, their forms, what is refused, and chats that go on beside them."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy
import openai
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def embed(client, given, **options):
    options = {"model": "tiny", "encoding_format": "float"} | options
    return client.embeddings.create(input=given, **options)


@pytest.mark.parametrize("text", ["a", "Что такое хлеб?", "long " * 300])
def test_a_vector_is_the_mean_of_the_last_hidden_states(engine, client, text):
    ids = AutoTokenizer.from_pretrained(engine.tiny)(text, add_special_tokens=False)["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(engine.tiny).eval()
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
    mean = states.double().mean(0)
    answer = embed(client, text)
    assert numpy.allclose(answer.data[0].embedding, mean / mean.norm(), atol=1e-5)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == len(ids)


def test_vectors_have_length_one_and_the_order_of_the_texts(client):
    data = embed(client, ["one", "two", "one"]).data
    assert [each.index for each in data] == [0, 1, 2]
    assert all(math.isclose(math.hypot(*each.embedding), 1, abs_tol=1e-6) for each in data)
    assert data[0].embedding == data[2].embedding != data[1].embedding


def test_base64_holds_the_same_numbers(client):
    plain = embed(client, "one").data[0].embedding
    # The client asks for base64 by itself, and unpacks it.
    packed = client.embeddings.create(model="tiny", input="one").data[0].embedding
    assert numpy.allclose(plain, packed, atol=1e-6)
    assert isinstance(embed(client, "one", encoding_format="base64").data[0].embedding, str)


def test_token_ids_are_read_as_their_text(engine, client):
    ids = AutoTokenizer.from_pretrained(engine.tiny)("one", add_special_tokens=False)["input_ids"]
    text = embed(client, "one").data[0].embedding
    assert embed(client, ids).data[0].embedding == text
    assert [each.embedding for each in embed(client, [ids, ids]).data] == [text, text]


def test_an_adapter_of_a_chat_leaves_no_trace(client, short):
    before = embed(client, "What is a?").data[0].embedding
    client.ask(short.fine_tuned_model)
    assert numpy.allclose(embed(client, "What is a?").data[0].embedding, before, atol=1e-6)


def test_chats_answer_the_same_beside_embeddings(client):
    alone = client.ask(max_tokens=60).choices[0].message.content
    with ThreadPoolExecutor(4) as pool:
        texts = [pool.submit(embed, client, ["word " * 200] * 5) for _ in range(2)]
        chats = [pool.submit(client.ask, max_tokens=60) for _ in range(2)]
        assert {chat.result().choices[0].message.content for chat in chats} == {alone}
        assert all(len(text.result().data) == 5 for text in texts)


@pytest.mark.parametrize(
    ("given", "options", "param"),
    [
        ("a", {"dimensions": 8}, "dimensions"),
        ("a", {"encoding_format": "int8"}, "encoding_format"),
        ("a", {"model": ""}, "model"),
        ("", {}, "input"),
        ([], {}, "input"),
        (["a", ""], {}, "input"),
        (["a", 1], {}, "input"),
        ([[]], {}, "input"),
        ([-1], {}, "input"),
        ([10**30], {}, "input"),
        ([True], {}, "input"),
        ({"a": 1}, {}, "input"),
        (None, {}, "input"),
        (["a"] * 2049, {}, "input"),
    ],
)
def test_a_wrong_request_is_named(client, given, options, param):
    with pytest.raises(openai.BadRequestError) as caught:
        embed(client, given, **options)
    assert caught.value.param == param


def test_a_text_beyond_the_context_is_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        embed(client, ["short", "x" * 4097])
    assert caught.value.code == "context_length_exceeded"
    assert embed(client, "x" * 4096).usage.prompt_tokens == 4096


def test_only_base_models_embed(client, short):
    with pytest.raises(openai.BadRequestError, match="its base, 'tiny'"):
        embed(client, "a", model=short.fine_tuned_model)
    with pytest.raises(openai.NotFoundError):
        embed(client, "a", model="text-embedding-3-small")
