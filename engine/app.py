"""The table of contents: addresses, and what starts and stops with the server."""

import logging
import sqlite3
import threading
import time
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine import launching
from engine.api import chat, embeddings, files, jobs, metrics, models, moderations, page, uploads
from engine.api.keys import KeyCheck
from engine.bases import BadSource, catalogue
from engine.errors import (
    ApiError,
    answer_api_error,
    answer_crash,
    answer_full_disk,
    answer_http_error,
    unavailable,
)
from engine.files import Files
from engine.handover import Handover
from engine.jobs import Jobs
from engine.runner import Runner
from engine.serving import ModelServer
from engine.store import Store
from engine.uploads import Uploads
from engine.validation import Validator

logger = logging.getLogger(__name__)


async def healthz(_request):
    return JSONResponse({"status": "ok"})


JOBS = "/v1/fine_tuning/jobs"
ROUTES = [
    Route("/", page.page),
    Route("/healthz", healthz),
    Route("/metrics", metrics.metrics),
    Route("/v1/files", files.create, methods=["POST"]),
    Route("/v1/files", files.list_files),
    Route("/v1/files/{id}", files.retrieve),
    Route("/v1/files/{id}", files.delete, methods=["DELETE"]),
    Route("/v1/files/{id}/content", files.content),
    Route("/v1/uploads", uploads.create, methods=["POST"]),
    Route("/v1/uploads/{id}/parts", uploads.add_part, methods=["POST"]),
    Route("/v1/uploads/{id}/complete", uploads.complete, methods=["POST"]),
    Route("/v1/uploads/{id}/cancel", uploads.cancel, methods=["POST"]),
    Route(JOBS, jobs.create, methods=["POST"]),
    Route(JOBS, jobs.list_jobs),
    Route(JOBS + "/{id}", jobs.retrieve),
    Route(JOBS + "/{id}/cancel", jobs.cancel, methods=["POST"]),
    Route(JOBS + "/{id}/pause", jobs.pause, methods=["POST"]),
    Route(JOBS + "/{id}/resume", jobs.resume, methods=["POST"]),
    Route(JOBS + "/{id}/events", jobs.list_events),
    Route(JOBS + "/{id}/checkpoints", jobs.list_checkpoints),
    Route("/v1/models", models.list_models),
    Route("/v1/models/{id}", models.retrieve),
    Route("/v1/models/{id}", models.delete, methods=["DELETE"]),
    Route("/v1/chat/completions", chat.create, methods=["POST"]),
    Route("/v1/embeddings", embeddings.create, methods=["POST"]),
    Route("/v1/moderations", moderations.create, methods=["POST"]),
]


def build(settings):
    """The application; raises BadSource for a model that cannot be used."""
    for name in ("files", "jobs", "bases", "tmp"):
        (settings.home / name).mkdir(parents=True, exist_ok=True)
    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[
            Middleware(metrics.Latency),
            Middleware(KeyCheck, keys=settings.keys, per_minute=settings.per_minute),
        ],
        exception_handlers={
            ApiError: answer_api_error,
            HTTPException: answer_http_error,
            BadSource: lambda request, error: answer_api_error(request, unavailable(str(error))),
            ClientDisconnect: lambda _request, _error: Response(status_code=chat.CLIENT_GONE),
            OSError: answer_full_disk,
            sqlite3.OperationalError: answer_full_disk,
            Exception: answer_crash,
        },
    )
    state = app.state
    state.home, state.started_at = settings.home, int(time.time())
    state.bases = catalogue(settings.models, settings.home)
    state.store = Store(settings.home / "engine.sqlite3")
    state.files = Files(state.store, settings.home)
    state.uploads = Uploads(state.store, state.files, settings.home)
    state.jobs = Jobs(state.store, state.files, settings.home, settings.waiting_jobs)
    state.jobs.tidy_ended()
    state.server = ModelServer()
    state.handovers = _handovers(settings)
    state.validator = Validator(state.jobs, state.bases)
    launcher = launching.choose(settings.training, settings.ray_gpus)
    state.runner = Runner(state.jobs, state.bases, settings.training_memory_mb, launcher)
    return app


def _handovers(settings):
    given = {
        "key": settings.serving_key,
        "home": settings.home,
        "their_home": settings.serving_home,
        "timeout": settings.serving_timeout,
    }
    return {name: Handover(name, address, **given) for name, address in settings.serving.items()}


@asynccontextmanager
async def lifespan(app):
    state = app.state
    threads = [state.server, state.validator, state.runner]
    for thread in [*threads, threading.Thread(target=_prepare_bases, args=[state.bases], daemon=True)]:
        thread.start()
    yield
    for thread in threads:
        thread.stop()
    for handover in state.handovers.values():
        await handover.close()
    # The others hold nothing that a restart does not find again.
    state.runner.join()


def _prepare_bases(bases):
    """So that the first job and the first chat need not wait for a conversion."""
    for base in bases.values():
        try:
            base.folder()
        except BadSource as error:
            logger.error("%s", error)
