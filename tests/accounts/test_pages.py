"""Signing in and out, one's language, profile and tokens."""

import pytest

from accounts.models import Token, User
from tests import factories
from tests.doors import api, pages

PASSWORD = "a lamp on the far rock"


@pytest.fixture
def ann(db):
    return factories.make_user(email="ann@example.org", password=PASSWORD)


def sign_in(browser, email="ann@example.org", password=PASSWORD, **more):
    return browser.post("/sign-in/", {"login": email, "password": password, **more})


def test_one_signs_in_by_email_in_whatever_letters(ann):
    browser = pages()
    assert browser.get("/")["Location"] == "/sign-in/?next=/"
    assert sign_in(browser, " Ann@EXAMPLE.org ")["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out/")["Location"] == "/sign-in/"
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.org", "wrong"),
        ("bob@example.org", PASSWORD),
        ("", ""),
        ("no address", "x"),
        ("ann@example.org\x00", PASSWORD),
    ],
)
def test_a_wrong_sign_in_is_told_and_stays_outside(ann, email, password):
    browser = pages()
    page = sign_in(browser, email, password)
    assert page.status_code == 200
    assert 'class="errorlist' in page.content.decode()
    assert browser.get("/").status_code == 302


def test_who_has_left_does_not_get_in(ann):
    browser = pages(ann)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert browser.get("/").status_code == 302
    assert sign_in(pages()).status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_elsewhere(ann, elsewhere):
    assert sign_in(pages(), next=elsewhere)["Location"] == "/"


def test_signing_out_is_no_link(ann):
    assert pages(ann).get("/sign-out/").status_code == 405


def test_one_changes_ones_profile_and_nothing_else(ann):
    fields = {
        "name": "Ann",
        "language": "ru",
        "email": "root@example.org",
        "is_staff": "on",
        "is_instructor": "on",
    }
    assert pages(ann).post("/profile/", fields)["Location"] == "/profile/"
    ann.refresh_from_db()
    assert (ann.name, ann.language, ann.email) == ("Ann", "ru", "ann@example.org")
    assert not ann.is_staff and not ann.is_instructor


def test_a_bad_profile_is_shown_again(ann):
    page = pages(ann).post("/profile/", {"name": "x" * 151, "language": "tlh"}).content.decode()
    assert page.count('class="errorlist') == 2


def test_a_new_token_is_shown_once_and_works(ann):
    browser = pages(ann)
    answer = browser.post("/tokens/", {"name": "nightly", "days": "30", "scopes": ["read"]})
    secret = answer.content.decode().split('id="secret">')[1].split("<")[0]
    assert secret not in browser.get("/tokens/").content.decode()
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/me/").status_code == 200
    row = Token.objects.get()
    assert browser.post(f"/tokens/{row.pk}/revoke/")["Location"] == "/tokens/"
    assert client.get("/api/me/").status_code == 401


@pytest.mark.parametrize("days", ["", "0", "-1", "366", "soon", "1e9"])
def test_a_token_without_a_good_number_of_days_is_not_made(ann, days):
    assert (
        'class="errorlist'
        in pages(ann).post("/tokens/", {"name": "x", "scopes": ["read"], "days": days}).content.decode()
    )
    assert not Token.objects.exists()


def test_nobody_revokes_the_token_of_another(ann, owner):
    api(owner)
    row = Token.objects.get(user=owner)
    assert pages(ann).post(f"/tokens/{row.pk}/revoke/").status_code == 404
    assert Token.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("address", ["/profile/", "/tokens/"])
def test_a_guest_is_asked_to_sign_in(db, address):
    assert pages().get(address)["Location"] == f"/sign-in/?next={address}"


def test_a_language_is_kept_for_good_for_a_person_and_in_the_browser_for_a_guest(ann):
    pages(ann).post("/language/", {"language": "ru"})
    assert '<html lang="ru">' in pages(User.objects.get(pk=ann.pk)).get("/").content.decode()
    guest = pages()
    guest.post("/language/", {"language": "ru"})
    assert '<html lang="ru">' in guest.get("/sign-in/").content.decode()


@pytest.mark.parametrize("language", ["", "de", "tlh", "ru\x00", "zh-hant", "x" * 500, "../ru"])
def test_a_language_that_is_not_ours_changes_nothing(ann, language):
    browser = pages(ann)
    assert browser.post("/language/", {"language": language}).status_code == 302
    ann.refresh_from_db()
    assert ann.language == "en"
    assert "django_language" not in browser.cookies


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("http://testserver/tokens/", "http://testserver/tokens/"),
        ("https://evil.example/", "/"),
        ("http://testserver.evil.example/", "/"),
        (None, "/"),
    ],
)
def test_changing_the_language_leads_back_to_a_page_of_ours(ann, back, to):
    more = {"HTTP_REFERER": back} if back else {}
    assert pages(ann).post("/language/", {"language": "ru"}, **more)["Location"] == to
