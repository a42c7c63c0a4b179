"""Tokens of the API: shown once, kept as a hash, revoked at once."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.models import AuditEntry, Token
from accounts.tokens import make_token, revoke_token, tokens_of
from tests.doors import api


def test_the_database_keeps_a_hash_only(owner):
    row, secret = make_token(owner, days=1)
    kept = [str(value) for value in Token.objects.filter(pk=row.pk).values_list().get()]
    assert not any(secret in value for value in kept)
    assert secret.startswith(row.token_key)
    assert len(secret) - len(row.token_key) > 40


def test_it_lives_as_long_as_was_asked(owner):
    row, _secret = make_token(owner, days=30)
    assert abs(row.expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_making_and_revoking_is_on_the_audit_trail_without_the_secret(owner):
    row, secret = make_token(owner, days=1)
    revoke_token(owner, row.pk)
    entries = AuditEntry.objects.filter(actor=owner)
    assert {entry.action for entry in entries} == {"token.make", "token.revoke"}
    for entry in entries:
        assert secret not in f"{entry.object_id} {entry.object_label} {entry.details}"


def test_nobody_revokes_the_token_of_another(owner, editor):
    row, _secret = make_token(owner, days=1)
    with pytest.raises(Http404):
        revoke_token(editor, row.pk)
    assert tokens_of(owner).filter(pk=row.pk).exists()


def test_a_revoked_token_opens_nothing(owner):
    client = api(owner)
    assert client.get("/api/me/").status_code == 200
    revoke_token(owner, tokens_of(owner).get().pk)
    assert client.get("/api/me/").status_code == 401


def test_an_expired_token_opens_nothing(owner):
    client = api(owner)
    Token.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/me/").status_code == 401


def test_the_token_of_someone_who_left_opens_nothing(owner):
    client = api(owner)
    owner.is_active = False
    owner.save()
    assert client.get("/api/me/").status_code == 401
