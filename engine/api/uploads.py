"""/v1/uploads"""

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from engine.api import fields, files
from engine.errors import invalid, not_found
from engine.uploads import LIFETIME, BadParts

MAX_UPLOAD = 8 * 2**30
MAX_PART = 64 * 2**20


async def create(request):
    body = await fields.read_json(request)
    size = fields.integer(body, "bytes", low=1, high=MAX_UPLOAD)
    if size is None:
        raise invalid("bytes", "you must provide a bytes parameter", "missing_required_parameter")
    fields.required_text(body, "mime_type")
    wanted = {
        "bytes": size,
        "filename": files.plain_name(fields.required_text(body, "filename")),
        "purpose": files.checked_purpose(fields.required_text(body, "purpose")),
    }
    return await run_in_threadpool(lambda: _answer(request, request.app.state.uploads.create(**wanted)))


async def add_part(request):
    upload = await run_in_threadpool(_find_pending, request)
    async with files.sent_file(request, "data", MAX_PART) as (sent, _form):
        uploads = request.app.state.uploads
        if uploads.size(upload) + sent.size > upload["bytes"]:
            raise invalid("data", f"The parts exceed the {upload['bytes']} bytes promised.")
        part = await run_in_threadpool(uploads.add_part, upload, sent.file)
    kept = {"id": part["id"], "created_at": part["created_at"], "upload_id": upload["id"]}
    return JSONResponse({"object": "upload.part", **kept})


async def complete(request):
    body = await fields.read_json(request)
    parts, md5 = body.get("part_ids"), fields.text(body, "md5")
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise invalid("part_ids", "'part_ids' must be a list of strings.", "invalid_type")
    return await run_in_threadpool(_complete, request, parts, md5)


def _complete(request, parts, md5):
    upload = _find_pending(request)
    try:
        done = request.app.state.uploads.complete(upload, parts, md5)
    except BadParts as error:
        raise invalid("part_ids", str(error)) from error
    return _answer(request, _find(request) if done else _find_pending(request))


def cancel(request):
    request.app.state.uploads.cancel(_find_pending(request))
    return _answer(request, _find(request))


def _find(request):
    upload = request.app.state.uploads.get(request.path_params["id"])
    if upload is None:
        raise not_found(f"No such Upload object: {request.path_params['id']}", "upload_id")
    return upload


def _find_pending(request):
    upload = _find(request)
    if upload["status"] != "pending":
        raise invalid("upload_id", f"The upload is {upload['status']}.", "invalid_upload_status")
    return upload


def _answer(request, upload):
    kept = {key: upload[key] for key in ("id", "created_at", "filename", "purpose", "bytes", "status")}
    file = upload["file"] and request.app.state.files.get(upload["file"])
    return JSONResponse({
        "object": "upload", **kept, "expires_at": upload["created_at"] + LIFETIME,
        "file": files.shown(file) if file else None,
    })  # fmt: skip
