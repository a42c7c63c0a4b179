"""/v1/files"""

from contextlib import asynccontextmanager

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import FileResponse, JSONResponse

from engine.api import fields
from engine.api.lists import page_of
from engine.errors import ApiError, invalid, not_found

MAX_FILE = 512 * 2**20
# The form around the file: boundaries, headers, the purpose.
FORM = 2**16
PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")


async def create(request):
    async with sent_file(request, "file", MAX_FILE) as (sent, form):
        purpose = checked_purpose(form.get("purpose"))
        files = request.app.state.files
        row = await run_in_threadpool(files.add, sent.file, plain_name(sent.filename), purpose)
        return JSONResponse(shown(row))


@asynccontextmanager
async def sent_file(request, name, most):
    """The file of that name in a multipart form, and the form; raises ApiError beyond `most` bytes."""
    form = await _read_form(request, name, most)
    try:
        sent = form.get(name)
        if not isinstance(sent, UploadFile):
            raise invalid(name, f"'{name}' is a required property", "missing_required_parameter")
        if sent.size > most:
            raise _too_large(name, most)
        yield sent, form
    finally:
        await form.close()


async def _read_form(request, name, most):
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid(name, "Send the file as multipart/form-data.")
    if int(request.headers.get("content-length", 0)) > most + FORM:
        raise _too_large(name, most)
    try:
        stream = _bounded(request.stream(), name, most)
        return await MultiPartParser(request.headers, stream, max_files=1).parse()
    except (MultiPartException, KeyError) as error:
        raise invalid(name, "The multipart form could not be read.") from error


async def _bounded(stream, name, most):
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > most + FORM:
            raise _too_large(name, most)
        yield chunk


def _too_large(name, most):
    return ApiError(413, f"The file is larger than {most // 2**20} MB.", param=name)


def checked_purpose(purpose):
    if purpose not in PURPOSES:
        raise invalid("purpose", f"'purpose' must be one of {', '.join(PURPOSES)}.", "invalid_value")
    return purpose


def plain_name(name):
    return name.replace("\\", "/").rpartition("/")[2] or "file"


def list_files(request):
    limit = fields.query_integer(request, "limit", 10_000, low=1, high=10_000)
    purpose = request.query_params.get("purpose")
    rows, more = request.app.state.store.page(
        "files",
        "? IS NULL OR purpose = ?",
        (purpose, purpose),
        after=request.query_params.get("after"),
        limit=limit,
        ascending=request.query_params.get("order") == "asc",
    )
    return JSONResponse(page_of([shown(row) for row in rows], more))


def retrieve(request):
    return JSONResponse(shown(_find(request)))


def content(request):
    row = _find(request)
    path = request.app.state.files.path(row["id"])
    return FileResponse(path, media_type="application/octet-stream", filename=row["filename"])


def delete(request):
    row = _find(request)
    request.app.state.files.delete(row["id"])
    return JSONResponse({"id": row["id"], "object": "file", "deleted": True})


def _find(request):
    id = request.path_params["id"]
    row = request.app.state.files.get(id)
    if row is None:
        raise not_found(f"No such File object: {id}")
    return row


def shown(row):
    kept = {key: row[key] for key in ("id", "created_at", "filename", "purpose", "bytes")}
    return {"object": "file", **kept, "status": "processed", "status_details": None, "expires_at": None}
