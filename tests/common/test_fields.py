"""A provider's key stands encrypted in the database, under keys that can be changed."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.db import connection

from providers.models import Provider
from tests import factories

SECRET = "sk-very-secret-key-of-a-provider"


def stored(provider):
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM providers_provider WHERE id = %s", [provider.pk])
        return cursor.fetchone()[0]


@pytest.fixture
def provider(db):
    return factories.make_provider(key=SECRET)


def test_the_database_holds_no_clear_text(provider):
    assert SECRET not in stored(provider)
    assert Provider.objects.get(pk=provider.pk).key == SECRET


def test_the_same_key_is_never_encrypted_the_same(provider):
    assert stored(provider) != stored(factories.make_provider(key=SECRET))


def test_no_key_is_no_ciphertext(db):
    provider = factories.make_provider(key="")
    assert stored(provider) == ""
    assert Provider.objects.get(pk=provider.pk).key == ""


def test_a_new_first_key_still_reads_what_the_old_one_wrote(provider, settings):
    old = settings.FIELD_KEYS
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *old]
    provider = Provider.objects.get(pk=provider.pk)
    assert provider.key == SECRET
    provider.save()
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert Provider.objects.get(pk=provider.pk).key == SECRET


def test_a_wrong_key_is_an_error_and_never_the_ciphertext(provider, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(InvalidToken):
        Provider.objects.get(pk=provider.pk)


def test_only_the_last_four_characters_are_shown_and_none_of_a_short_key():
    assert Provider(key=SECRET).key_ending == "…ider"
    assert Provider(key="short").key_ending == "…"
    assert Provider(key="").key_ending == ""
