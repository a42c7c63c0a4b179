"""An open stream looks every second whether its reader may still read."""

from contextlib import aclosing
from dataclasses import dataclass
from importlib import import_module
from time import monotonic

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import find
from accounts.models import Token, User
from assistants.models import Assistant
from providers.errors import ProviderError

EVERY = 1.0  # seconds


class Revoked(ProviderError):
    """The reader's access ended while the answer was coming."""


@dataclass(frozen=True)
class Reader:
    """Who reads what, and by what they came in: a token or a session."""

    user: int
    assistant: int
    token: int | None = None
    session: str = ""

    @classmethod
    def of(cls, request, assistant):
        token = getattr(request, "auth", None)
        session = getattr(request, "session", None)
        return cls(
            request.user.pk, assistant.pk, getattr(token, "pk", None),
            "" if token else getattr(session, "session_key", None) or "",
        )  # fmt: skip

    def may_read(self) -> bool:
        """By what the database says now."""
        user = User.objects.filter(pk=self.user).first()
        if user is None or not self._is_in(user):
            return False
        try:
            find(Assistant, self.assistant, user, to="chat")
        except (Http404, PermissionDenied):
            return False
        return True

    def _is_in(self, user):
        if self.token is not None:
            token = Token.objects.filter(pk=self.token).first()
            if token is None or (token.expiry and token.expiry < timezone.now()):
                return False
            user.scope = token.scope
        store = import_module(settings.SESSION_ENGINE).SessionStore()
        return not self.session or store.exists(self.session)


async def watched(pieces, reader: Reader):
    """The pieces, until the reader may read no more; then Revoked."""
    looked = monotonic()
    async with aclosing(pieces):
        async for piece in pieces:
            if monotonic() - looked >= EVERY:
                if not await sync_to_async(reader.may_read)():
                    raise Revoked(_("Your access to this assistant has ended."), "access_ended", 403)
                looked = monotonic()
            yield piece
