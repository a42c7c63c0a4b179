"""What can go wrong at a provider, in our words: try again, ask a person, or give up."""

import math
import re
import time
from email.utils import mktime_tz, parsedate_tz

import openai
from django.utils.translation import gettext as _

SECRET = re.compile(r"\bsk-[A-Za-z0-9_-]{4,}|[A-Za-z0-9_-]{24,}")
UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST_WAIT = 24 * 3600
OUT_OF_MONEY = {"insufficient_quota", "billing_hard_limit_reached"}
FOR_GOOD = {"training_not_available"}


class ProviderError(Exception):
    """`code` is the provider's own; `text` is for people and holds no secret.

    `advice` is "retry", "ask" (a person: a key, an address, a bill) or "give_up"; `retry_after` is in seconds.
    """

    usual_advice = "give_up"

    def __init__(self, text, code="", status=None, request_id="", retry_after=None):
        super().__init__(text)
        self.text, self.code, self.status = text, code, status
        self.request_id, self.retry_after = request_id, retry_after

    @property
    def advice(self):
        if self.code in FOR_GOOD:
            return "give_up"
        if self.code in OUT_OF_MONEY or self.status in (401, 402, 403):
            return "ask"
        return self.usual_advice


class TryAgain(ProviderError):
    """The provider cannot be reached or is busy: nothing was accepted, wait and repeat."""

    usual_advice = "retry"


class Unclear(ProviderError):
    """The call may or may not have been carried out: look before repeating."""

    usual_advice = "retry"


class GivenUp(ProviderError):
    """The provider refused for good."""


class Unreadable(GivenUp):
    """It answered, and what it said is no answer: whether it did what it was asked is open."""

    usual_advice = "ask"


class BadAddress(GivenUp):
    """We do not call this address; nothing was sent."""

    usual_advice = "ask"


def translate(error: openai.OpenAIError) -> ProviderError:
    if isinstance(error.__cause__, ProviderError):  # our own connection said so
        return error.__cause__
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    return Unreadable(plain(str(error)), "unreadable_answer")


def _unreachable(error):
    """A connection that was never made has certainly done nothing."""
    if type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout", "UnsupportedProtocol"):
        return TryAgain(_("The provider cannot be reached."), "unreachable")
    if isinstance(error, openai.APITimeoutError):
        return Unclear(_("The provider did not answer in time."), "timeout")
    return Unclear(_("The provider broke off before it answered."), "unreachable")


def _by_status(error):
    status, code = error.status_code, plain(str(error.code or ""))[:100]
    told = {
        "status": status,
        "request_id": _printable(error.request_id),
        "retry_after": wait_of(error.response.headers),
    }
    text = plain(_message(error))
    if status == 429:
        return TryAgain(text, code or "rate_limited", **told)
    if status in (408, 409) or status >= 500:
        return Unclear(text, code or f"http_{status}", **told)
    return GivenUp(text, code or f"http_{status}", **told)


def _message(error):
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or f"HTTP {error.status_code}")


def _printable(request_id) -> str:
    return re.sub(r"[^\w.:-]", "", request_id or "")[:100]


def wait_of(headers) -> float | None:
    """Seconds that Retry-After asks for, be it a number or a date; None where it asks for nothing sensible."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        date = parsedate_tz(told)
        if date is None:
            return None
        try:
            seconds = mktime_tz(date) - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if not math.isnan(seconds) else None


def plain(text: str) -> str:
    """Shortened, fit for a database, and with whatever looks like a key taken out: providers echo keys."""
    return SECRET.sub("…", UNPRINTABLE.sub(" ", text))[:500]
