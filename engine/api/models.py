"""/v1/models"""

from starlette.background import BackgroundTask
from starlette.responses import JSONResponse

from engine.errors import ApiError, not_found


def list_models(request):
    state = request.app.state
    tuned = state.store.all("SELECT * FROM models ORDER BY seq")
    data = [shown_base(state, base) for base in state.bases.values()]
    return JSONResponse({"object": "list", "data": data + [shown_tuned(state, row) for row in tuned]})


def retrieve(request):
    state, name = request.app.state, request.path_params["id"]
    if name in state.bases:
        return JSONResponse(shown_base(state, state.bases[name]))
    return JSONResponse(shown_tuned(state, find_tuned(state, name)))


def delete(request):
    state, name = request.app.state, request.path_params["id"]
    if name in state.bases:
        raise ApiError(403, f"{name} is a base model: it cannot be deleted.", param="model")
    row = find_tuned(state, name)
    state.jobs.delete_model(row)
    handover = state.handovers.get(row["base"])
    unload = BackgroundTask(handover.forget, name) if handover else None
    return JSONResponse({"id": name, "object": "model", "deleted": True}, background=unload)


def find_tuned(state, name):
    row = state.store.get("models", name)
    if row is None:
        raise not_found(f"The model '{name}' does not exist.", "model", "model_not_found")
    return row


def shown_base(state, base):
    card = base.card()
    return _shown(base.name, state.started_at, "system", card)


def shown_tuned(state, row):
    base = state.bases.get(row["base"])
    card = base.card() if base else {}
    return _shown(row["id"], row["created_at"], "local", card) | {"parent": row["base"], "job": row["job"]}


def _shown(id, created, owner, card):
    return {
        "object": "model", "id": id, "created": created, "owned_by": owner, **card, "shutdown_date": None
    }  # fmt: skip
