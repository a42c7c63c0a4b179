"""What a provider sends us unasked, signed as Standard Webhooks: who sent it is checked here, what it says is not."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

MOST_BYTES = 64 * 1024
TOLERANCE = timedelta(seconds=300)  # of the sender's clock, either way
KEPT_FOR = timedelta(days=7)  # providers repeat a delivery for three days
SHORTEST = 24  # bytes of a secret
MARK = "whsec_"
ID = re.compile(r"[!-\-/-~]{1,200}")  # no full stop: it parts what is signed
SECONDS = re.compile(r"[0-9]{1,12}")


class BadDelivery(Exception):
    """It is not from who it says, or cannot be read; the text is for us, not for the sender."""


def opened(secret: str) -> bytes | None:
    """The key that the secret stands for; None where it is none, or so short that it can be guessed."""
    if not secret.startswith(MARK):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(MARK), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) >= SHORTEST else None


def check_secret(secret: str):
    if not opened(secret):
        raise ValidationError(
            _("A webhook's secret begins with whsec_, and %(count)d bytes in base64 or more follow.")
            % {"count": SHORTEST}
        )


def sign(key: bytes, delivery: str, at: int, body: bytes) -> str:
    signed = b"%s.%d.%s" % (delivery.encode(), at, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def verified(secret: str, headers, body: bytes) -> str:
    """The delivery's id, or BadDelivery. `headers` are by name, in whatever case the caller looks them up."""
    key = opened(secret)
    delivery, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if key is None or not ID.fullmatch(delivery) or not SECONDS.fullmatch(at):
        raise BadDelivery("headers")
    if abs(timezone.now().timestamp() - int(at)) > TOLERANCE.total_seconds():
        raise BadDelivery("time")
    good = sign(key, delivery, int(at), body).encode()
    told = headers.get("webhook-signature", "").encode(errors="replace").split(b" ")
    if not any(hmac.compare_digest(each, good) for each in told):
        raise BadDelivery("signature")
    return delivery


def about(body: bytes) -> str:
    """The id of what an event is about; "" where it names none. BadDelivery for what is no event."""
    try:
        told = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadDelivery("body") from error
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise BadDelivery("body")
    data = told.get("data")
    named = data.get("id") if isinstance(data, dict) else None
    return named if isinstance(named, str) and named.isprintable() else ""


def _refuse(constant):
    raise ValueError(constant)
