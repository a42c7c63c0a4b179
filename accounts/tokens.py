"""Verbs on knox tokens, the same for page and API."""

from datetime import timedelta

from django.db import transaction
from django.shortcuts import get_object_or_404
from knox.models import get_token_model

from accounts.models import record


def tokens_of(user):
    return get_token_model().objects.filter(user=user).order_by("-created")


def make_token(user, days):
    """(row, secret): only a hash of the secret is kept, so it is shown once."""
    with transaction.atomic():
        row, secret = get_token_model().objects.create(user=user, expiry=timedelta(days=days))
        record(user, "token.make", row)
    return row, secret


def revoke_token(user, pk):
    row = get_object_or_404(tokens_of(user), pk=pk if pk.isalnum() else "")
    with transaction.atomic():
        record(user, "token.revoke", row)
        row.delete()
