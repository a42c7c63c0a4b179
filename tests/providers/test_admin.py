"""Staff set providers up; a key is never shown, and belongs to the address that it was given for."""

import pytest

from providers.models import Provider
from tests import factories
from tests.doors import pages

KEY = "sk-very-secret-key-of-a-provider"


@pytest.fixture
def root(db):
    return factories.make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def row(db):
    return factories.make_provider(base_url="https://api.example.org/v1", key=KEY, name="Example")


def save(root, row, **changes):
    fields = {
        "name": row.name,
        "kind": row.kind,
        "base_url": row.base_url,
        "capabilities": "{}",
        "is_active": "on",
        "new_key": "",
    }
    answer = pages(root).post(f"/admin/providers/provider/{row.pk}/change/", {**fields, **changes})
    assert answer.status_code == 302, answer.content.decode()
    return Provider.objects.get(pk=row.pk)


def test_the_key_is_on_no_page(root, row):
    for address in (f"/admin/providers/provider/{row.pk}/change/", "/admin/providers/provider/"):
        page = pages(root).get(address).content.decode()
        assert KEY not in page
        assert "…ider" in page


def test_saving_without_a_new_key_keeps_the_old_one(root, row):
    assert save(root, row, name="Another name").key == KEY


def test_another_address_takes_the_key_away(root, row):
    assert save(root, row, base_url="https://evil.example/v1").key == ""


def test_a_new_key_for_a_new_address_is_kept(root, row):
    assert save(root, row, base_url="https://other.example/v1", new_key="sk-another").key == "sk-another"


def test_the_connection_can_be_tested(root, there):
    row = factories.make_provider(base_url=there.base_url)
    form = {"action": "test_connection", "_selected_action": [row.pk]}
    page = pages(root).post("/admin/providers/provider/", form, follow=True).content.decode()
    assert "tiny" in page
    there.when("GET /models", status=401, error={"message": f"Incorrect API key provided: {KEY}"})
    page = pages(root).post("/admin/providers/provider/", form, follow=True).content.decode()
    assert "Incorrect API key" in page and KEY not in page
