"""Signing in for a token, one's own record, one's own tokens."""

import pytest

from accounts.models import Token
from tests import factories
from tests.doors import api, pages

PASSWORD = "a lamp on the far rock"


@pytest.fixture
def ann(db):
    return factories.make_user(email="ann@example.org", password=PASSWORD)


def sign_in(**body):
    return api().post("/api/sign-in/", body, format="json")


def test_email_and_password_give_a_token_that_works(ann):
    answer = sign_in(email="Ann@Example.org", password=PASSWORD)
    assert answer.status_code == 201
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    assert client.get("/api/me/").json()["email"] == "ann@example.org"


def test_a_wrong_password_and_an_unknown_email_are_the_same_401(ann):
    wrong = sign_in(email="ann@example.org", password="something else")
    unknown = sign_in(email="bob@example.org", password=PASSWORD)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong["WWW-Authenticate"] == "Bearer"
    assert not Token.objects.exists()


def test_who_has_left_gets_no_token(ann):
    ann.is_active = False
    ann.save()
    assert sign_in(email="ann@example.org", password=PASSWORD).status_code == 401


def test_a_person_without_a_password_gets_no_token(db):
    factories.make_user(email="robot@example.org")
    assert sign_in(email="robot@example.org", password="").status_code == 400
    assert sign_in(email="robot@example.org", password="!").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {}, {"email": "ann@example.org"}, {"email": "no address", "password": PASSWORD},
        {"email": "ann@example.org", "password": PASSWORD, "days": 0},
        {"email": "ann@example.org", "password": PASSWORD, "days": 10**9},
        {"email": "ann@example.org", "password": PASSWORD, "days": "soon"},
        {"email": {"$ne": ""}, "password": PASSWORD},
        {"email": "ann@example.org\x00", "password": PASSWORD},
    ],
)  # fmt: skip
def test_a_bad_request_for_a_token_is_400(ann, body):
    assert sign_in(**body).status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a b",
        "Token abc",
        "Basic YTpi",
        "Bearer " + "x" * 5000,
        "Bearer é",
        "Bearer a\x00b",
    ],
)
def test_without_a_good_token_everything_is_401(ann, header):
    answer = api().get("/api/me/", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_opens_the_api_for_reading_and_needs_the_csrf_token_for_writing(ann):
    browser = pages(ann)
    assert browser.get("/api/me/").status_code == 200
    browser.handler.enforce_csrf_checks = True
    assert browser.patch("/api/me/", {"name": "Eve"}, content_type="application/json").status_code == 403


def test_one_changes_ones_name_and_language_and_nothing_else(ann):
    client = api(ann)
    body = {
        "name": "Ann", "language": "ru", "email": "root@example.org", "is_staff": True, "is_superuser": True,
        "is_instructor": True, "is_active": False, "id": 1, "password": "x", "groups": [1],
    }  # fmt: skip
    answer = client.patch("/api/me/", body, format="json")
    assert answer.status_code == 200
    before = ann.password
    ann.refresh_from_db()
    assert (ann.name, ann.language, ann.email, ann.password) == ("Ann", "ru", "ann@example.org", before)
    assert not (ann.is_staff or ann.is_superuser or ann.is_instructor) and ann.is_active


@pytest.mark.parametrize(
    "body", [{"language": "tlh"}, {"name": "x" * 151}, {"name": None}, {"name": "a\x00b"}]
)
def test_a_bad_change_is_400(ann, body):
    assert api(ann).patch("/api/me/", body, format="json").status_code == 400


def test_own_tokens_are_listed_and_revoked_and_others_are_not_there(ann, owner):
    client, other = api(ann), api(owner)
    (row,) = client.get("/api/tokens/").json()
    assert set(row) == {"id", "name", "token_key", "scopes", "courses", "created", "expiry", "last_used"}
    (foreign,) = other.get("/api/tokens/").json()
    assert client.delete(f"/api/tokens/{foreign['id']}/").status_code == 404
    assert client.delete(f"/api/tokens/{row['id']}/").status_code == 204
    assert client.get("/api/tokens/").status_code == 401
    assert other.get("/api/me/").status_code == 200


@pytest.mark.parametrize("pk", ["0", "x", "%00", "../1", "9" * 300])
def test_a_token_that_is_not_there_is_404(ann, pk):
    assert api(ann).delete(f"/api/tokens/{pk}/").status_code == 404
