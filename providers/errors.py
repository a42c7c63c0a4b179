"""What can go wrong at a provider, in our words: try again, ask a person, or give up."""

import re

import openai
from django.utils.translation import gettext as _

SECRET = re.compile(r"\bsk-[A-Za-z0-9_-]{4,}|[A-Za-z0-9_-]{24,}")


class ProviderError(Exception):
    """`code` is the provider's own; `text` is for people and holds no secret."""

    def __init__(self, text, code="", status=None):
        super().__init__(text)
        self.text, self.code, self.status = text, code, status


class TryAgain(ProviderError):
    """The provider cannot be reached or is busy: nothing was accepted, wait and repeat."""


class Unclear(ProviderError):
    """The call may or may not have been carried out: look before repeating."""


class GivenUp(ProviderError):
    """The provider refused for good."""


def translate(error: openai.OpenAIError) -> ProviderError:
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    return GivenUp(plain(str(error)), "unreadable_answer")


def _unreachable(error):
    """A connection that was never made has certainly done nothing."""
    if type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout", "UnsupportedProtocol"):
        return TryAgain(_("The provider cannot be reached."), "unreachable")
    if isinstance(error, openai.APITimeoutError):
        return Unclear(_("The provider did not answer in time."), "timeout")
    return Unclear(_("The provider broke off before it answered."), "unreachable")


def _by_status(error):
    status, code = error.status_code, str(error.code or "")
    text = plain(_message(error))
    if status == 429:
        return TryAgain(text, code or "rate_limited", status)
    if status in (408, 409) or status >= 500:
        return Unclear(text, code or f"http_{status}", status)
    return GivenUp(text, code or f"http_{status}", status)


def _message(error):
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or f"HTTP {error.status_code}")


def plain(text: str) -> str:
    """Shortened, and with whatever looks like a key taken out: providers echo keys in their errors."""
    return SECRET.sub("…", text)[:500]
