"""The one way out to providers. Each function raises an error of `providers.errors` and nothing else."""

from contextlib import contextmanager
from functools import cache

import httpx2
import openai
from django.utils.translation import gettext as _

from providers.errors import GivenUp, Unclear, translate
from providers.models import Provider, Upload

TIMEOUT = httpx2.Timeout(60, connect=5)
ANSWER_TIMEOUT = httpx2.Timeout(240, connect=5)
PAGE = 100
# The SDK would take these of the environment and tell them to every provider.
FROM_ELSEWHERE = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}


@contextmanager
def client(provider: Provider):
    """An SDK client that never repeats, never follows a redirect, and heeds no proxy of the environment."""
    http = httpx2.Client(**_connection(), timeout=TIMEOUT)
    with http, openai.OpenAI(**_settings(provider), http_client=http) as sdk:
        try:
            yield sdk
        except openai.OpenAIError as error:
            raise translate(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise GivenUp(_("The provider's answer cannot be read."), "unreadable_answer") from error


async def stream(provider: Provider, **body):
    """The chunks of a streamed chat completion, the last with its usage."""
    http = httpx2.AsyncClient(**_connection(), timeout=ANSWER_TIMEOUT)
    async with http, openai.AsyncOpenAI(**_settings(provider), http_client=http) as sdk:
        try:
            chunks = await sdk.chat.completions.create(
                **body, stream=True, stream_options={"include_usage": True}
            )
            async with chunks:
                async for chunk in chunks:
                    yield chunk
        except openai.OpenAIError as error:
            raise translate(error) from error
        except (httpx2.HTTPError, ValueError, TypeError, AttributeError) as error:
            raise Unclear(_("The answer broke off."), "broken_stream") from error


@cache
def _certificates():
    """Whom we trust, read once: that takes longer than a call to a provider near by."""
    return httpx2.create_ssl_context(trust_env=False)


def _connection():
    return {"follow_redirects": False, "trust_env": False, "verify": _certificates()}


def _settings(provider):
    return {
        "base_url": provider.address,
        "api_key": provider.secret or "none",
        "max_retries": 0,
        "default_headers": FROM_ELSEWHERE,
    }


def _with(name, row):
    """The row, if it has this field: of an answer that is no such row the SDK makes a text, or a row of Nones."""
    if not getattr(row, name, None):
        raise ValueError(f"no {name}")
    return row


def model_names(provider) -> list[str]:
    with client(provider) as sdk:
        return [model.id for model in sdk.models.list()]


def upload(provider, data: bytes, sha256: str, name: str) -> Upload:
    """The file as it stands at the provider, sent unless it stands there already."""
    known = Upload.objects.filter(provider=provider, sha256=sha256, purpose="fine-tune").first()
    if known:
        return known
    with client(provider) as sdk:
        stored = next((row for row in sdk.files.list(purpose="fine-tune") if row.filename == name), None)
        stored = _with("id", stored or sdk.files.create(file=(name, data), purpose="fine-tune"))
    row, _made = Upload.objects.get_or_create(
        provider=provider, sha256=sha256, purpose="fine-tune",
        defaults={"remote_id": stored.id, "bytes": len(data)},
    )  # fmt: skip
    return row


def forget_upload(upload: Upload):
    """Delete the file at the provider and its row; a file that is gone already is as good."""
    try:
        with client(upload.provider) as sdk:
            sdk.files.delete(upload.remote_id)
    except GivenUp as error:
        if error.status != 404:
            raise
    upload.delete()


def create_job(provider, **body):
    """The call that costs: an answer that cannot be read leaves open whether it was carried out."""
    try:
        with client(provider) as sdk:
            return _with("id", sdk.fine_tuning.jobs.create(**body))
    except GivenUp as error:
        if error.status is None:
            raise Unclear(error.text, error.code) from error
        raise


def job(provider, remote_id):
    with client(provider) as sdk:
        return _with("id", sdk.fine_tuning.jobs.retrieve(remote_id))


def jobs_with(provider, op) -> list:
    """Jobs that carry our mark, oldest first; the filter is checked again here, as some ignore it."""
    with client(provider) as sdk:
        found = [
            row
            for row in sdk.fine_tuning.jobs.list(limit=PAGE, metadata={"op": op})
            if (row.metadata or {}).get("op") == op
        ]
    return sorted(found, key=lambda row: row.created_at)


def jobs_among(provider, wanted: set) -> dict:
    """{remote id: job} for the wanted ids, read page by page until all are found."""
    found = {}
    with client(provider) as sdk:
        for row in sdk.fine_tuning.jobs.list(limit=PAGE):
            if row.id in wanted:
                found[row.id] = row
            if len(found) == len(wanted):
                break
    return found


def cancel_job(provider, remote_id):
    with client(provider) as sdk:
        return _with("id", sdk.fine_tuning.jobs.cancel(remote_id))


def events_since(provider, remote_id, seen: str) -> list:
    """Events newer than the one with id `seen`, oldest first."""
    fresh = []
    with client(provider) as sdk:
        for event in sdk.fine_tuning.jobs.list_events(remote_id, limit=PAGE):
            if _with("id", event).id == seen:
                break
            fresh.append(event)
    return fresh[::-1]


def checkpoints(provider, remote_id) -> list:
    with client(provider) as sdk:
        return list(sdk.fine_tuning.jobs.checkpoints.list(remote_id, limit=PAGE))


def complete(provider, model: str, messages: list, **options):
    """A whole chat completion."""
    with client(provider) as sdk:
        sdk = sdk.with_options(timeout=ANSWER_TIMEOUT)
        return _with("choices", sdk.chat.completions.create(model=model, messages=messages, **options))
