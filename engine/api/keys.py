"""Bearer keys."""

import hmac

from engine.errors import ApiError, answer_api_error

OPEN = {"/healthz"}


class KeyCheck:
    """Middleware: without keys everything is open (the command line allows that on loopback only)."""

    def __init__(self, app, keys):
        self.app, self.keys = app, [key.encode() for key in keys]

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not self.keys or scope["path"] in OPEN or self._admits(scope):
            return await self.app(scope, receive, send)
        error = ApiError(401, "Incorrect or missing API key.", code="invalid_api_key")
        response = answer_api_error(None, error)
        response.headers["WWW-Authenticate"] = "Bearer"
        await response(scope, receive, send)

    def _admits(self, scope):
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1 or not given[0].startswith(b"Bearer "):
            return False
        key = given[0].removeprefix(b"Bearer ").strip()
        return any(hmac.compare_digest(key, known) for known in self.keys)
