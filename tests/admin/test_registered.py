"""Every table of ours stands in the admin, is found and shown there, and keeps its secrets."""

import pytest
from django.contrib import admin

from common.admin import SECRET, ReadOnly
from tests.admin.rows import MODELS, address
from tests.doors import pages

WRITTEN_BY_FORMS = {
    "accounts.User": {"email", "name", "language", "time_zone", "is_active", "is_instructor", "is_staff",
                      "is_superuser", "groups", "user_permissions", "password"},
    "courses.Course": {"title", "description", "language"},
    "providers.Provider": {
        "name", "kind", "base_url", "capabilities", "is_active", "new_key", "new_webhook_secret",
    },
    "providers.Model": {"provider", "name", "context_tokens", "example_tokens", "languages", "licence",
                        "trainable", "train_until", "serve_until", "dates_source"},
    "providers.Price": {"model", "what", "amount", "valid_from", "source"},
    "providers.Budget": {"limit"},
    "datasets.Dataset": {"title", "instructions"},
    "assistants.Quota": {"limit"},
}  # fmt: skip

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)


def page_of(model):
    return admin.site.get_model_admin(model)


@every_model
def test_it_is_registered_and_can_be_searched(model):
    assert admin.site.is_registered(model)
    page = page_of(model)
    assert page.search_fields and tuple(page.list_display) != ("__str__",)
    assert not SECRET & set(page.list_display) and not SECRET & set(page.search_fields)


@every_model
def test_a_form_writes_only_what_no_verb_writes(model, rf, root, filled):
    request = rf.get("/")
    request.user = root
    page, row = page_of(model), model._default_manager.order_by("-pk").first()
    if model._meta.label not in WRITTEN_BY_FORMS:
        assert isinstance(page, ReadOnly) and not page.has_change_permission(request, row)
        return
    assert set(page.get_form(request, row, change=True).base_fields) == WRITTEN_BY_FORMS[model._meta.label]


def test_every_row_opens_is_found_and_has_a_history(root, filled):
    client = pages(root)
    for model in MODELS:
        row = model._default_manager.order_by("-pk").first()
        assert row is not None, model
        for path in (f"{row.pk}/change/", f"{row.pk}/history/", "?q=1"):
            assert client.get(address(model) + path).status_code == 200, (model, path)


def test_no_page_tells_a_secret(root, filled, owner):
    token, invitation = owner.auth_token_set.first(), filled.invitations.first()
    client = pages(root)
    for row in (token, invitation, owner):
        page = client.get(f"{address(type(row))}{row.pk}/change/").content.decode()
        for secret in (getattr(row, "digest", ""), getattr(row, "password", "")):
            assert not secret or secret not in page


@pytest.mark.parametrize(
    "query",
    ["accounts/token/?digest__startswith=a", "accounts/user/?password__startswith=argon2",
     "courses/invitation/?digest__startswith=a", "providers/provider/?key__gt=a",
     "courses/invitation/?by__password__startswith=a"],
)  # fmt: skip
def test_a_secret_cannot_be_guessed_by_filters(root, filled, query):
    assert pages(root).get(f"/admin/{query}").status_code == 400
