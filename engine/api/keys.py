"""Bearer keys, of which only hashes are kept, and how often each may ask. The page at `/` takes HTTP basic."""

import base64
import binascii
import hashlib
import hmac
import math
import re
import time
from collections import defaultdict, deque

from engine.errors import ApiError, answer_api_error

OPEN = {"/healthz"}
PAGE = "/"
MINUTE = 60  # seconds
NOBODY = ""
LOOPBACK = re.compile(rb"(https?://)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")


class KeyCheck:
    """Middleware: without keys everything is open (the command line allows that on loopback only)."""

    def __init__(self, app, keys, per_minute):
        self.app, self.per_minute = app, per_minute
        self.known = [_hash(key.encode()) for key in keys]
        self.asked = defaultdict(deque)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        if not self.known and not _from_here(scope):
            return await _elsewhere()(scope, receive, send)
        key = self._key(scope)
        if key is None:
            return await _refused(scope)(scope, receive, send)
        if wait := self._seconds_to_wait(key):
            return await _too_often(wait)(scope, receive, send)
        scope.setdefault("state", {})["key"] = key
        await self.app(scope, receive, send)

    def _key(self, scope):
        """The hash of the key that is given, NOBODY where none is needed, None for a wrong one."""
        if not self.known:
            return NOBODY
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        digest = _hash(_secret(given[0], scope["path"])) if len(given) == 1 else ""
        admitted = [hmac.compare_digest(digest, known) for known in self.known]
        return digest if any(admitted) else None

    def _seconds_to_wait(self, key):
        """0 when the key may ask; that request is then counted."""
        now, asked = time.monotonic(), self.asked[key]
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        if self.per_minute and len(asked) >= self.per_minute:
            return math.ceil(asked[0] + MINUTE - now)
        if self.per_minute:
            asked.append(now)
        return 0


def _from_here(scope):
    """False for what a foreign web page sends through its reader's browser, under a name of its own or ours."""
    names = [value for name, value in scope["headers"] if name in (b"host", b"origin")]
    return all(LOOPBACK.fullmatch(name) for name in names)


def _hash(key):
    return hashlib.sha256(key).hexdigest()


def _secret(header, path):
    kind, _, value = header.partition(b" ")
    if kind == b"Bearer":
        return value.strip()
    if kind == b"Basic" and path == PAGE:
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def _refused(scope):
    response = answer_api_error(None, ApiError(401, "Incorrect or missing API key.", code="invalid_api_key"))
    kind = 'Basic realm="engine: any name, the key as password"' if scope["path"] == PAGE else "Bearer"
    response.headers["WWW-Authenticate"] = kind
    return response


def _elsewhere():
    message = "Without keys only programs on this machine are answered: call it by localhost or 127.0.0.1."
    return answer_api_error(None, ApiError(403, message, code="forbidden"))


def _too_often(wait):
    message = f"Rate limit reached: try again in {wait} s."
    error = ApiError(429, message, type="requests", code="rate_limit_exceeded")
    response = answer_api_error(None, error)
    response.headers["Retry-After"] = str(wait)
    return response
