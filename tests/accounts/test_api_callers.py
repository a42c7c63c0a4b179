"""Whose request it is when there are two credentials, and that no header changes what is asked for."""

import pytest

from accounts.tokens import make_token
from tests.doors import pages


@pytest.fixture
def token(editor):
    return f"Bearer {make_token(editor, days=1)[1]}"


def test_a_token_comes_before_a_session(owner, editor, token):
    answer = pages(owner).get("/api/me/", HTTP_AUTHORIZATION=token)
    assert answer.json()["email"] == editor.email


def test_a_limited_token_is_not_widened_by_a_session_beside_it(owner, editor):
    narrow = f"Bearer {make_token(editor, days=1, scopes=['chat'])[1]}"
    assert pages(owner).get("/api/tokens/", HTTP_AUTHORIZATION=narrow).status_code == 403
    assert pages(editor).get("/api/tokens/", HTTP_AUTHORIZATION=narrow).status_code == 403


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer a b", "Bearer " + "0" * 64, "Bearer é"])
def test_a_broken_token_is_not_saved_by_a_good_session(owner, header):
    assert pages(owner).get("/api/me/", HTTP_AUTHORIZATION=header).status_code == 401


def test_a_token_opens_no_page(token):
    assert pages().get("/profile/", HTTP_AUTHORIZATION=token).status_code == 302


def test_a_session_needs_the_token_against_forgery_even_beside_a_broken_one(owner):
    browser = pages(owner)
    browser.handler.enforce_csrf_checks = True
    for path in ("/api/tokens/", "/api/me/"):
        assert browser.post(path, {"days": 1}).status_code in (403, 405)
    assert browser.delete("/api/me/").status_code == 403
    for path in ("/profile/delete/", "/sessions/end-others/", "/security/password/", "/tokens/"):
        assert browser.post(path).status_code == 403


@pytest.mark.parametrize(
    "name", ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE"]
)
def test_no_header_makes_another_method_of_it(editor, token, name):
    browser = pages()
    assert browser.get("/api/me/", HTTP_AUTHORIZATION=token, **{name: "DELETE"}).status_code == 200
    answer = browser.post("/api/me/", {"_method": "DELETE"}, HTTP_AUTHORIZATION=token, **{name: "DELETE"})
    assert answer.status_code == 405
    editor.refresh_from_db()
    assert editor.is_active
