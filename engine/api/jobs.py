"""/v1/fine_tuning/jobs"""

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from engine.api import fields, job_request
from engine.api.lists import page_of
from engine.errors import invalid, not_found

MAX_PAGE = 100


async def create(request):
    body = await fields.read_json(request)
    return JSONResponse(shown(await run_in_threadpool(_create, request, body)))


def _create(request, body):
    state = request.app.state
    return state.jobs.create(owner=request.state.key, **job_request.parse(body, state.bases, state.files))


def list_jobs(request):
    where, values = _metadata_filter(request.query_params)
    return _page(request, "jobs", where, values, shown, limit=20)


def retrieve(request):
    return JSONResponse(shown(_find(request)))


def cancel(request):
    return _moved(request, request.app.state.jobs.cancel, "has already ended")


def pause(request):
    return _moved(request, request.app.state.jobs.pause, "can be paused only while it is queued or runs")


def resume(request):
    return _moved(request, request.app.state.jobs.resume, "is not paused")


def _moved(request, move, otherwise):
    job = _find(request)
    done = move(job)
    job = _find(request)
    if not done:
        raise invalid("id", f"Job {otherwise}: its status is '{job['status']}'.", "invalid_job_status")
    return JSONResponse(shown(job))


def list_events(request):
    return _page(request, "events", "job = ?", [_find(request)["id"]], shown_event, limit=20)


def list_checkpoints(request):
    return _page(request, "checkpoints", "job = ?", [_find(request)["id"]], shown_checkpoint, limit=10)


def _find(request):
    id = request.path_params["id"]
    job = request.app.state.jobs.get(id)
    if job is None:
        raise not_found(f"Could not find fine tune: {id}", "fine_tuning_job_id", "fine_tune_not_found")
    return job


def _page(request, table, where, values, show, limit):
    limit = fields.query_integer(request, "limit", limit, low=1, high=MAX_PAGE)
    after = request.query_params.get("after")
    rows, more = request.app.state.store.page(table, where, values, after=after, limit=limit)
    return JSONResponse(page_of([show(row) for row in rows], more))


def _metadata_filter(query):
    """SQL for `metadata[key]=value`, any number of them, or for `metadata=null`."""
    if query.get("metadata") == "null":
        return "metadata IS NULL", []
    clauses, values = ["1"], []
    for name, value in query.multi_items():
        if name.startswith("metadata[") and name.endswith("]"):
            clauses.append("EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)")
            values += [name.removeprefix("metadata[").removesuffix("]"), value]
    return " AND ".join(clauses), values


def shown(job):
    same = (
        "id", "created_at", "status", "model", "training_file", "validation_file", "seed", "metadata",
        "estimated_finish", "finished_at", "fine_tuned_model", "trained_tokens", "error",
    )  # fmt: skip
    return {
        "object": "fine_tuning.job",
        **{key: job[key] for key in same},
        "hyperparameters": _shown_at_the_top(job["hyperparameters"]),
        "method": {"type": job["method"], job["method"]: {"hyperparameters": job["hyperparameters"]}},
        "user_provided_suffix": job["suffix"],
        "result_files": [job["result_file"]] if job["result_file"] else [],
        "organization_id": "org-local",
        "integrations": [],
    }


def _shown_at_the_top(hyperparameters):
    return {name: value for name, value in hyperparameters.items() if name in job_request.HYPERPARAMETERS}


def shown_event(event):
    kept = {key: event[key] for key in ("id", "created_at", "level", "message", "type", "data")}
    return {"object": "fine_tuning.job.event", **kept}


def shown_checkpoint(checkpoint):
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": checkpoint["id"],
        "created_at": checkpoint["created_at"],
        "fine_tuning_job_id": checkpoint["job"],
        "fine_tuned_model_checkpoint": checkpoint["model"],
        "step_number": checkpoint["step"],
        "metrics": checkpoint["metrics"],
    }
