"""Where the present act comes from: the audit trail and the log name its address and its request."""

import ipaddress
import uuid
from contextvars import ContextVar
from dataclasses import dataclass

import structlog


@dataclass(frozen=True)
class Origin:
    """Empty outside a request: in a task or on the command line."""

    address: str | None = None
    id: str = ""


NOWHERE = Origin()
_here: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def origin() -> Origin:
    return _here.get()


def tell_origin(get_response):
    """Give the request an id of ours, whatever the client sent, and tell it in the answer."""

    def middleware(request):
        here = Origin(_address(request.META.get("REMOTE_ADDR", "")), uuid.uuid4().hex)
        token = _here.set(here)
        try:
            with structlog.contextvars.bound_contextvars(request=here.id):
                response = get_response(request)
        finally:
            _here.reset(token)
        response.headers["X-Request-Id"] = here.id
        return response

    return middleware


def _address(told):
    """A server that listens on a socket of files knows none, and a proxy may write anything here."""
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return None
