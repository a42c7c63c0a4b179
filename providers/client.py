"""The one way out to providers. Each function raises an error of `providers.errors` and nothing else."""

import json
from contextlib import contextmanager
from itertools import islice
from urllib.parse import quote

import httpx2
import openai
from django.utils import timezone
from django.utils.translation import gettext as _
from openai.types.fine_tuning import FineTuningJob

from providers.addresses import check_place, parse
from providers.connecting import PLAIN, AsyncTransport, Transport
from providers.errors import GivenUp, Unclear, Unreadable, translate
from providers.models import Provider, Upload

TIMEOUT = httpx2.Timeout(60, connect=5)
ANSWER_TIMEOUT = httpx2.Timeout(240, connect=5)
MEANINGLESS = (
    httpx2.HTTPError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)  # what comes of odd answers
PAGE = 100
LONGEST_ID = 200
RECENT_PAGES = 5
MOST_PAGES = 1000
PLAIN_CLIENT = {"follow_redirects": False, "trust_env": False, "headers": PLAIN}
# The SDK would take these of the environment and tell them to every provider.
FROM_ELSEWHERE = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}


@contextmanager
def client(provider: Provider):
    """An SDK client that repeats reads only, never follows a redirect, and heeds no proxy of the environment."""
    http = httpx2.Client(transport=Transport(), **PLAIN_CLIENT, timeout=TIMEOUT)
    with http, openai.OpenAI(**_settings(provider), http_client=http) as sdk:
        try:
            yield sdk
        except openai.OpenAIError as error:
            raise translate(error) from error
        except MEANINGLESS as error:
            raise unreadable() from error


async def stream(provider: Provider, **body):
    """The chunks of a streamed chat completion, the last with its usage."""
    http = httpx2.AsyncClient(transport=AsyncTransport(), **PLAIN_CLIENT, timeout=ANSWER_TIMEOUT)
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
        except MEANINGLESS as error:
            raise Unclear(_("The answer broke off."), "broken_stream") from error


def _settings(provider):
    check_place(parse(provider.address))
    return {
        "base_url": provider.address,
        "api_key": provider.secret or "none",
        "max_retries": 0,
        "default_headers": FROM_ELSEWHERE,
    }


def unreadable():
    return Unreadable(_("The provider's answer cannot be read."), "unreadable_answer")


def _whole(row):
    """The row, if it has an id: of an answer that is no such row the SDK makes a text, or a row of Nones."""
    if not _is_id(getattr(row, "id", None)):
        raise ValueError("no id")
    return row


def _is_id(told):
    return isinstance(told, str) and 0 < len(told) <= LONGEST_ID and told.isprintable()


def models_there(provider) -> list[dict]:
    """The provider's own rows of its models."""
    with client(provider) as sdk:
        rows, _more = _rows(sdk.models.with_raw_response.list().content)
        return rows


def model_names(provider) -> list[str]:
    return [row["id"] for row in models_there(provider)]


def upload(provider, data: bytes, sha256: str, name: str) -> Upload:
    """The file as it stands at the provider, sent unless it stands there already."""
    known = Upload.objects.filter(provider=provider, sha256=sha256, purpose="fine-tune").first()
    if known:
        Upload.objects.filter(pk=known.pk).update(sent=timezone.now())  # it stays there for another while
        return known
    with client(provider) as sdk:
        stored = next((row for row in sdk.files.list(purpose="fine-tune") if row.filename == name), None)
        stored = _whole(stored or sdk.files.create(file=(name, data), purpose="fine-tune"))
    row, _made = Upload.objects.get_or_create(
        provider=provider, sha256=sha256, purpose="fine-tune",
        defaults={"remote_id": stored.id, "bytes": len(data)},
    )  # fmt: skip
    return row


def forget_upload(upload: Upload):
    """Delete the file at the provider, where that can be done, and its row."""
    if upload.provider.can("files_delete"):
        delete_file(upload.provider, upload.remote_id)
    upload.delete()


def delete_file(provider, remote_id):
    """A file that is gone already is as good."""
    with gone_is_good(), client(provider) as sdk:
        sdk.files.delete(remote_id)


@contextmanager
def gone_is_good():
    try:
        yield
    except GivenUp as error:
        if error.status != 404:
            raise


def file_content(provider, remote_id) -> bytes:
    with client(provider) as sdk:
        return sdk.files.content(remote_id).content


def create_job(provider, **body):
    """The call that costs: an answer that cannot be read leaves open whether it was carried out."""
    try:
        with client(provider) as sdk:
            return _whole(sdk.fine_tuning.jobs.create(**body))
    except Unreadable as error:
        raise Unclear(error.text, error.code) from error


def as_job(row: dict):
    """A job of `job_pages` as the other calls give it."""
    return FineTuningJob.construct(**row)


def job_pages(provider):
    """The provider's jobs, newest first, as lists of at most 100 plain dicts; read as far as the caller goes."""
    with client(provider) as sdk:
        after, seen = openai.omit, set()
        for _page in range(MOST_PAGES):
            told = sdk.fine_tuning.jobs.with_raw_response.list(limit=PAGE, after=after)
            rows, more = _rows(told.content)
            yield rows
            after = rows[-1]["id"] if rows else None
            if not more or not rows or after in seen:
                return
            seen.add(after)


def _rows(content: bytes):
    """(rows, whether there are more) of one page. Read without the SDK, which makes a class of each row."""
    told = json.loads(content)
    rows = told.get("data") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _is_id(row.get("id")) for row in rows):
        raise ValueError("no list of rows")
    return rows, bool(told.get("has_more"))


def find_jobs(provider, op, training_file, suffix="", known=()) -> list:
    """What may be the job that we asked for under the mark `op`, oldest first, without the `known` ids.

    By our mark where the provider keeps it; a recent job without any mark is ours by its training file and suffix.
    """
    if provider.can("metadata_filter") and (found := jobs_with(provider, op)):
        return found
    recent = [row for page in islice(job_pages(provider), RECENT_PAGES) for row in page]
    found = [row for row in recent if row["id"] not in known and _is_ours(row, op, training_file, suffix)]
    return [as_job(row) for row in sorted(found, key=lambda row: row.get("created_at") or 0)]


def _is_ours(row, op, training_file, suffix):
    metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    if "op" in metadata:
        return metadata["op"] == op
    return row.get("training_file") == training_file and (row.get("user_provided_suffix") or "") == suffix


def job(provider, remote_id):
    with client(provider) as sdk:
        return _whole(sdk.fine_tuning.jobs.retrieve(remote_id))


def jobs_with(provider, op) -> list:
    """Jobs that carry our mark, oldest first; the filter is checked again here, as some ignore it."""
    with client(provider) as sdk:
        found = [
            row
            for row in islice(sdk.fine_tuning.jobs.list(limit=PAGE, metadata={"op": op}), PAGE * RECENT_PAGES)
            if (row.metadata or {}).get("op") == op
        ]
    return sorted(found, key=lambda row: row.created_at)


def cancel_job(provider, remote_id):
    with client(provider) as sdk:
        return _whole(sdk.fine_tuning.jobs.cancel(remote_id))


def pause_job(provider, remote_id):
    with client(provider) as sdk:
        return _whole(sdk.fine_tuning.jobs.pause(remote_id))


def resume_job(provider, remote_id):
    with client(provider) as sdk:
        return _whole(sdk.fine_tuning.jobs.resume(remote_id))


def events_since(provider, remote_id, seen: str) -> list:
    """Events newer than the one with id `seen`, oldest first."""
    fresh = []
    with client(provider) as sdk:
        for event in sdk.fine_tuning.jobs.list_events(remote_id, limit=PAGE):
            if _whole(event).id == seen:
                break
            fresh.append(event)
    return fresh[::-1]


def checkpoints(provider, remote_id) -> list:
    with client(provider) as sdk:
        return [_whole(row) for row in sdk.fine_tuning.jobs.checkpoints.list(remote_id, limit=PAGE)]


def complete(provider, model: str, messages: list, **options):
    """A whole chat completion."""
    with client(provider) as sdk:
        sdk = sdk.with_options(timeout=ANSWER_TIMEOUT)
        reply = sdk.chat.completions.create(model=model, messages=messages, **options)
        if not getattr(reply, "choices", None):
            raise ValueError("no choices")
        return reply


def deploy(provider, name: str, source: str, base_model: str) -> dict:
    """Ask that the trained `source` (a model or checkpoint) be served as `name`; the provider's row of it."""
    body = {"name": name, "source": source, "base_model": base_model, **provider.can("deploy_body")}
    with _v0(provider) as sdk:
        return _deployment(sdk.post("/models", cast_to=object, body=body))


def deployment(provider, name: str) -> dict | None:
    """The provider's row, its `status` in lower case, or None where it has no such deployment."""
    try:
        with _v0(provider) as sdk:
            return _deployment(sdk.get(_model_path(name), cast_to=object))
    except GivenUp as error:
        if error.status == 404:
            return None
        raise


def undeploy(provider, name: str):
    with gone_is_good(), _v0(provider) as sdk:
        sdk.delete(_model_path(name), cast_to=object)


@contextmanager
def _v0(provider):
    """Where models are put up for use: beside /v1."""
    with client(provider) as sdk:
        yield sdk.with_options(base_url=f"{provider.address.rstrip('/').removesuffix('/v1')}/v0")


def _model_path(name):
    return f"/models/{quote(name, safe='')}"


def _deployment(row):
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise ValueError("no name")
    return {**row, "status": str(row.get("status") or "").lower()}
