"""Every endpoint through OpenAI's own client, sync and async; each answer holds what the SDK's types promise,
strictly, and nothing else but the additions that engine/README.md names."""

import asyncio

import openai
import pytest
from openai import BaseModel
from openai.types import Model
from openai.types.chat import ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice
from openai.types.fine_tuning import DpoHyperparameters, FineTuningJob, SupervisedHyperparameters
from openai.types.fine_tuning.fine_tuning_job import Hyperparameters
from openai.types.fine_tuning.jobs.fine_tuning_job_checkpoint import Metrics

from tests.engine.talk import jsonl, preference

REWARDS = {
    f"{part}_reward_{name}" for part in ("train", "valid", "full_valid") for name in ("accuracy", "margin")
}
ADDED = {
    Model: {"licence", "languages", "context_window", "parent", "job"},
    FineTuningJob: {"user_provided_suffix"},
    Metrics: REWARDS,
    Hyperparameters: {"early_stopping_patience"},
    SupervisedHyperparameters: {"early_stopping_patience"},
    DpoHyperparameters: {"early_stopping_patience"},
}
# Null or not, OpenAI's published description requires them; the SDK's types do not.
NULLABLE = {
    ChatCompletionMessage: {"content", "refusal"},
    Choice: {"logprobs"},
    ChunkChoice: {"finish_reason"},
    FineTuningJob: {"error", "fine_tuned_model", "finished_at", "trained_tokens", "validation_file"},
}


def strict(answer):
    """The answer, once its fields have exactly the types of the SDK."""
    _no_more(type(answer).model_validate(answer.to_dict(mode="python"), strict=True))
    return answer


def _no_more(value):
    if isinstance(value, BaseModel):
        assert set(value.model_extra or {}) <= ADDED.get(type(value), set()), type(value)
        assert value.model_fields_set >= NULLABLE.get(type(value), set()), type(value)
        for name in type(value).model_fields:
            _no_more(getattr(value, name))
    elif isinstance(value, list):
        for each in value:
            _no_more(each)


def all_strict(page):
    """Through all pages of a list, at least two."""
    ids = [strict(item).id for item in page]
    assert len(ids) == len(set(ids)) >= 2
    return ids


@pytest.fixture(scope="module")
def preferred(client):
    rows = jsonl(preference(f"Pick {letter}", "sun", "rain") for letter in "abcdefghij")
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1}}}
    return client.start(rows, method=method)


def test_files(client):
    made = strict(client.files.create(file=("a.jsonl", b"{}"), purpose="user_data"))
    client.upload(b"{}", purpose="user_data")
    assert strict(client.files.retrieve(made.id)) == made
    assert made.id in all_strict(client.files.list(limit=1, purpose="user_data"))
    assert client.files.content(made.id).read() == b"{}"
    assert strict(client.files.delete(made.id)).deleted


def test_uploads(client):
    upload = strict(client.uploads.create(bytes=2, filename="a", mime_type="text/plain", purpose="fine-tune"))
    part = strict(client.uploads.parts.create(upload.id, data=b"{}"))
    assert strict(client.uploads.complete(upload.id, part_ids=[part.id])).file.bytes == 2
    other = client.uploads.create(bytes=2, filename="a", mime_type="text/plain", purpose="fine-tune")
    assert strict(client.uploads.cancel(other.id)).status == "cancelled"


def test_jobs(client, training, tuned, preferred):
    jobs = client.fine_tuning.jobs
    assert {tuned.id, preferred.id} <= set(all_strict(jobs.list(limit=1)))
    assert strict(jobs.retrieve(tuned.id)) == tuned
    assert len(all_strict(jobs.list_events(tuned.id, limit=50))) > 75
    assert len(all_strict(jobs.checkpoints.list(tuned.id, limit=2))) == 3
    strict(preferred)
    client.wait(preferred, until=lambda job: job.status in ("queued", "running"))
    # The SDK's list of statuses lacks this one of the service.
    assert jobs.pause(preferred.id).status == "paused"
    assert strict(jobs.resume(preferred.id)).status == "queued"
    assert strict(jobs.cancel(preferred.id)).status == "cancelled"


def test_models(client, short):
    names = all_strict(client.models.list())
    assert strict(client.models.retrieve(names[0])).owned_by == "system"
    checkpoint = client.checkpoints(short)[0].fine_tuned_model_checkpoint
    assert strict(client.models.delete(checkpoint)).deleted


OPTIONS = {"n": 2, "logprobs": True, "top_logprobs": 2, "temperature": 1, "seed": 1, "max_tokens": 4}


def test_chat(client):
    strict(client.ask())
    assert len(strict(client.ask(**OPTIONS)).choices) == 2


def test_chat_in_a_stream(client):
    options = OPTIONS | {"stream": True, "stream_options": {"include_usage": True}}
    chunks = [strict(chunk) for chunk in client.ask(**options)]
    assert chunks[-1].usage.completion_tokens <= 8
    assert len({chunk.id for chunk in chunks}) == 1


TOOL = {"type": "function", "function": {"name": "stop"}}
FORCED = {
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "stop"}},
    "max_tokens": 200,
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "yes", "schema": {"type": "boolean"}}}


def test_tools_and_json(client):
    assert strict(client.ask(**FORCED)).choices[0].message.tool_calls[0].function.arguments == "{}"
    chunks = [strict(chunk) for chunk in client.ask(**FORCED, stream=True)]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert strict(client.ask(response_format=SCHEMA)).choices[0].message.content in ("true", "false")


def test_embeddings(client):
    for form in ("float", openai.NOT_GIVEN):
        answer = strict(client.embeddings.create(model="tiny", input=["a", "b"], encoding_format=form))
        assert [len(each.embedding) for each in answer.data] == [96, 96]


def test_moderations(client):
    answer = strict(client.moderations.create(input=["Hi", "Fuck you"], model="coursetune-rules-1"))
    assert [result.flagged for result in answer.results] == [False, True]


def test_the_same_from_the_async_client(async_client, tuned):
    async def talk():
        messages = [{"role": "user", "content": "What is d?"}]
        ask = {"model": tuned.fine_tuned_model, "messages": messages, "max_tokens": 3}
        strict(await async_client.chat.completions.create(**ask))
        async for chunk in await async_client.chat.completions.create(**ask, stream=True):
            strict(chunk)
        strict(await async_client.fine_tuning.jobs.retrieve(tuned.id))
        return [
            strict(event).id async for event in async_client.fine_tuning.jobs.list_events(tuned.id, limit=40)
        ]

    assert len(asyncio.run(talk())) > 75


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda client: client.ask("gpt-4o"), openai.NotFoundError),
        (lambda client: client.ask(temperature=9), openai.BadRequestError),
        (lambda client: client.with_options(api_key="no").models.list(), openai.AuthenticationError),
        (lambda client: client.models.delete("tiny"), openai.PermissionDeniedError),
        (lambda client: client.files.list(after="file-none"), openai.NotFoundError),
    ],
)
def test_errors_have_the_four_fields(client, call, kind):
    with pytest.raises(kind) as caught:
        call(client)
    assert caught.value.body.keys() == {"message", "type", "param", "code"}
