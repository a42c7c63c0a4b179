"""The connection test says in words what was tried and what came of it, and the result is kept."""

import pytest

from accounts.models import AuditEntry
from providers.probing import probe, result_of
from tests import factories
from tests.doors import pages


@pytest.mark.parametrize(
    ("order", "outcome", "says"),
    [
        ({}, "good", "Models: 1 (tiny)."),
        ({"status": 401, "error": {"message": "Wrong key sk-abcdefghijkl"}}, "key", "Enter the key anew"),
        ({"status": 403}, "key", "Enter the key anew"),
        ({"status": 404}, "nothing_there", "/v1"),
        ({"status": 429}, "busy", "too busy"),
        ({"status": 500}, "failing", "error of its own"),
        ({"text": "<html>hello</html>"}, "unreadable", "OpenAI-compatible"),
        ({"text": "{}"}, "unreadable", "OpenAI-compatible"),
        ({"drop": "before"}, "failing", "Try again later"),
    ],
    ids=str,
)
def test_each_outcome_has_its_words(there, provider, staff, order, outcome, says):
    if order:
        there.when("GET /models", times=9, **order)
    assert probe(provider, by=staff) == (outcome == "good")
    told = result_of(provider)
    assert told.startswith(f"GET {there.base_url}/models: ") and says in told
    assert "abcdefghijkl" not in told
    assert provider.test_result["outcome"] == outcome and provider.tested
    entry = AuditEntry.objects.get(action="provider.test")
    assert (entry.actor, entry.details) == (staff, {"outcome": outcome})


def test_where_nobody_listens_it_says_so(db):
    provider = factories.make_provider(base_url="http://127.0.0.1:9/v1")
    assert not probe(provider)
    assert "cannot be reached" in result_of(provider)


@pytest.mark.parametrize("address", ["", "https://10.0.0.1/v1", "http://example.com/v1"])
def test_an_address_that_is_not_allowed_is_not_called(db, address):
    provider = factories.make_provider(base_url=address)
    assert not probe(provider)
    assert "not called" in result_of(provider)


def test_before_the_first_test_it_says_that(provider):
    assert result_of(provider) == "Not tested yet."


def test_many_models_are_counted_and_some_are_named(there, provider):
    there.models = {f"model-{number}": {} for number in range(50)}
    assert probe(provider)
    assert "Models: 50 (model-0, " in result_of(provider) and "model-8" not in result_of(provider)


def test_a_good_test_ends_a_rest(there, provider):
    for _turn in range(6):
        provider.note_failure()
    assert probe(provider)
    assert not provider.is_resting


def test_the_admin_shows_the_last_result_with_its_time(there, provider):
    root = factories.make_user(is_staff=True, is_superuser=True)
    probe(provider)
    page = pages(root).get(f"/admin/providers/provider/{provider.pk}/change/").content.decode()
    assert "It answers and accepts the key." in page and "Models: 1 (tiny)." in page
    assert "learning_rate" in page
