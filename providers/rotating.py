"""Secrets in the database, encrypted anew: those of a provider, that of a course's webhook."""

from django.db import transaction

from accounts.models import record
from providers.models import Hook, Provider


@transaction.atomic
def rotate_key(pk, by=None):
    """By the first of FIELD_KEYS; cryptography.fernet.InvalidToken where none of them opens it."""
    provider = Provider.objects.select_for_update().get(pk=pk)
    provider.save(update_fields=["key", "webhook_secret"])
    record(by, "provider.rotate_key", provider)


@transaction.atomic
def rotate_hook(pk):
    Hook.objects.select_for_update().get(pk=pk).save(update_fields=["secret"])
