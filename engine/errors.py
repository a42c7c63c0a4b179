"""Errors as OpenAI's protocol shows them."""

import logging

from starlette.responses import JSONResponse

from engine.room import is_full

logger = logging.getLogger(__name__)


class ApiError(Exception):
    def __init__(self, status, message, *, param=None, code=None, type="invalid_request_error"):
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": type, "param": param, "code": code}}


def invalid(param, message, code=None):
    return ApiError(400, message, param=param, code=code)


def not_found(message, param="id", code=None):
    return ApiError(404, message, param=param, code=code)


def too_many(message):
    return ApiError(429, message, type="requests", code="rate_limit_exceeded")


def server_error(message):
    return ApiError(500, message, type="server_error", code="server_error")


def unavailable(message):
    return ApiError(503, message, type="server_error", code="model_unavailable")


def answer_api_error(_request, error):
    return JSONResponse(error.body, error.status)


def answer_http_error(request, error):
    """Unknown addresses and methods."""
    message = f"Invalid URL ({request.method} {request.url.path})"
    return answer_api_error(request, ApiError(error.status_code, message))


def answer_full_disk(request, error):
    """Of the errors of the system and of SQLite, those that end when there is room again."""
    if not is_full(error):
        raise error
    logger.error("the disk is full: %s", error)
    message = "The server's disk is full. Make room, and try again."
    return answer_api_error(request, ApiError(507, message, type="server_error", code="disk_full"))


def answer_crash(request, _error):
    return answer_api_error(request, server_error("The server had an error while processing your request."))
