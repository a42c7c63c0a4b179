"""/v1/files"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import FileResponse, JSONResponse

from engine.api import fields
from engine.api.lists import page_of
from engine.errors import ApiError, invalid, not_found

MAX_FILE = 512 * 2**20
# The form around the file: boundaries, headers, the purpose.
MAX_FORM = MAX_FILE + 2**16
PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")


async def create(request):
    form = await _read_form(request)
    try:
        upload, purpose = form.get("file"), form.get("purpose")
        if not isinstance(upload, UploadFile):
            raise invalid("file", "'file' is a required property", "missing_required_parameter")
        if purpose not in PURPOSES:
            raise invalid("purpose", f"'purpose' must be one of {', '.join(PURPOSES)}.", "invalid_value")
        if upload.size > MAX_FILE:
            raise _too_large()
        name = upload.filename.replace("\\", "/").rpartition("/")[2] or "file"
        files = request.app.state.files
        return JSONResponse(shown(await run_in_threadpool(files.add, upload.file, name, purpose)))
    finally:
        await form.close()


async def _read_form(request):
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("file", "Send the file as multipart/form-data.")
    if int(request.headers.get("content-length", 0)) > MAX_FORM:
        raise _too_large()
    try:
        return await MultiPartParser(request.headers, _bounded(request.stream()), max_files=1).parse()
    except (MultiPartException, KeyError) as error:
        raise invalid("file", "The multipart form could not be read.") from error


async def _bounded(stream):
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > MAX_FORM:
            raise _too_large()
        yield chunk


def _too_large():
    return ApiError(413, f"The file is larger than {MAX_FILE // 2**20} MB.", param="file")


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
