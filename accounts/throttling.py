"""The one answer to whoever tries too often, on pages and in the API: 429 and when to come back."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

WINDOW = 300  # seconds; every limit in ACCOUNT_RATE_LIMITS counts over this long


def too_many():
    error = Throttled(detail=_("Too many attempts. Wait five minutes, then try again."))
    error.wait = WINDOW
    return error


def refuse(request, exception=None):
    raise too_many()
