"""Signing in tells a stranger nothing, and lets nobody try for long."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.models import User
from tests import factories
from tests.accounts.signing_in import PASSWORD, ask_for_token, is_inside, sign_in
from tests.doors import api, pages

WRONG = "another lamp on another rock"


@pytest.fixture
def hashes(monkeypatch):
    """Each password that is hashed, by whichever way."""
    done = []
    for name in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher, name, lambda self, *args, _real=real: done.append(1) or _real(self, *args)
        )
    return done


@pytest.fixture
def people(ann):
    """Emails that do not open with PASSWORD or WRONG: known, unknown, of one who left, and of a program."""
    factories.make_user(email="left@example.org", password=PASSWORD, is_active=False)
    factories.make_user(email="robot@example.org", password=PASSWORD, is_service=True)
    factories.make_user(email="unset@example.org")
    return [
        ("ann@example.org", WRONG), ("nobody@example.org", WRONG), ("nobody@example.org", PASSWORD),
        ("left@example.org", WRONG), ("left@example.org", PASSWORD), ("robot@example.org", PASSWORD),
        ("unset@example.org", PASSWORD),
    ]  # fmt: skip


def said(answer, email):
    """The page without what is its own: the token against forgery and the address typed in."""
    text = answer.content.decode().replace(email, "EMAIL")
    token = answer.context["csrf_token"]
    return text.replace(str(token), "TOKEN")


def test_the_page_answers_every_wrong_sign_in_alike_at_the_same_cost(people, hashes):
    told = set()
    for email, password in people:
        hashes.clear()
        answer = sign_in(pages(), email, password)
        told.add((answer.status_code, said(answer, email), len(hashes)))
    assert len(told) == 1
    ((status, text, cost),) = told
    assert (status, cost) == (200, 1) and "Email or password is wrong." in text


def test_the_api_answers_every_wrong_sign_in_alike_at_the_same_cost(people, hashes):
    told = set()
    for email, password in people:
        hashes.clear()
        answer = ask_for_token(email, password)
        told.add((answer.status_code, answer.content, len(hashes)))
    assert told == {(401, b'{"detail":"Email or password is wrong."}', 1)}


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
@pytest.mark.parametrize("door", ["page", "API"])
def test_after_five_wrong_passwords_an_email_is_closed_whether_known_or_not(ann, email, door):
    tries = {
        "page": lambda word: sign_in(pages(), email, word),
        "API": lambda word: ask_for_token(email, word),
    }
    for _turn in range(5):
        assert tries[door](WRONG).status_code in (200, 401)
    for each in tries.values():
        answer = each(PASSWORD)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "300"
        assert "Wait five minutes" in answer.content.decode()


def test_however_an_email_is_written_it_is_one_to_the_limit(ann):
    for email in (
        "ann@example.org",
        "Ann@example.org",
        "ANN@EXAMPLE.ORG",
        " ann@example.org",
        "aNN@example.org",
    ):
        sign_in(pages(), email, WRONG)
    assert sign_in(pages()).status_code == 429


def test_another_host_or_forwarded_address_gives_no_fresh_tries(ann, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    for turn in range(5):
        more = {"HTTP_X_FORWARDED_FOR": f"10.0.0.{turn}", "HTTP_X_REAL_IP": f"10.0.0.{turn}"}
        pages().post("/sign-in/", {"login": ann.email, "password": WRONG}, **more)
    answer = pages().post("/sign-in/", {"login": ann.email, "password": PASSWORD}, HTTP_HOST="other.example")
    assert answer.status_code == 429


def test_one_address_cannot_try_many_emails_and_a_forged_header_is_no_other_address(db):
    for turn in range(50):
        ask_for_token(f"person{turn}@nowhere.example", WRONG)
    answer = api().post(
        "/api/sign-in/", {"email": "one@more.example", "password": WRONG}, HTTP_X_FORWARDED_FOR="192.0.2.9"
    )
    assert answer.status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    answer = api().post("/api/sign-in/", {"email": "one@more.example", "password": WRONG}, **elsewhere)
    assert answer.status_code == 401


def test_signing_in_rightly_uses_no_try_up(ann):
    for _turn in range(12):
        assert sign_in(pages()).status_code == 302


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example", "javascript:alert(1)", "https:evil.example", "/\\evil.example",
        "http://testserver@evil.example/", "http://testserver.evil.example/", "\thttps://evil.example",
        "http:///evil.example", "https://trusted.example/",
    ],
)  # fmt: skip
def test_no_next_leads_elsewhere_signed_in_or_not(ann, elsewhere, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    browser = pages()
    assert sign_in(browser, next=elsewhere)["Location"] == "/"
    assert browser.get("/sign-in/", {"next": elsewhere})["Location"] == "/"
    browser.post("/security/confirm/", {"password": WRONG})
    answer = browser.post("/security/confirm/", {"password": PASSWORD, "next": elsewhere})
    assert answer["Location"] == "/"


def test_a_page_of_ours_is_where_next_leads(ann):
    assert sign_in(pages(), next="/tokens/?x=1")["Location"] == "/tokens/?x=1"
    assert 'name="next" value="/tokens/"' in pages().get("/sign-in/?next=/tokens/").content.decode()


@pytest.mark.parametrize("path", ["/sign-in/", "/password/reset/", "/api/sign-in/"])
def test_another_host_is_refused(db, path):
    assert pages().post(path, HTTP_HOST="evil.example").status_code == 400


def test_the_door_of_the_admin_is_the_same_door(ann, staff):
    assert pages().get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert pages().get("/admin/login/?next=/admin/")["Location"] == "/sign-in/?next=%2Fadmin%2F"
    answer = pages().post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert answer["Location"].startswith("/sign-in/")
    assert pages(ann).get("/admin/login/").status_code == 403
    assert pages(staff).get("/admin/password_change/")["Location"] == "/security/password/"


@pytest.mark.parametrize(
    "path",
    [
        "/signup/",
        "/accounts/signup/",
        "/accounts/login/",
        "/login/",
        "/email/",
        "/confirm-email/",
        "/social/",
    ],
)
def test_nobody_signs_up_and_no_other_page_of_allauth_is_there(db, path):
    assert pages().get(path).status_code == 404


def test_the_tables_of_allauth_are_not_in_the_admin(client, db):
    client.force_login(factories.make_user(is_staff=True, is_superuser=True))
    page = client.get("/admin/").content.decode()
    for address in ("/admin/mfa/", "/admin/account/", "/admin/usersessions/"):
        assert address not in page
        assert client.get(address).status_code == 404


def test_who_leaves_is_outside_at_once_on_every_door(ann):
    browser = pages()
    sign_in(browser)
    token = ask_for_token().json()["token"]
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not is_inside(browser)
    assert api().get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_asking_as_a_script_does_gives_the_page_all_the_same(ann):
    script = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest", "HTTP_ACCEPT": "application/json"}
    answer = pages().post("/sign-in/", {"login": ann.email, "password": WRONG}, **script)
    assert answer["Content-Type"].startswith("text/html")


def test_while_attempts_cannot_be_counted_nobody_signs_in_and_is_told_so(ann, settings):
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}
    for answer in (sign_in(pages()), ask_for_token()):
        assert answer.status_code == 503
        assert "Try again in a minute" in answer.content.decode()
    assert is_inside(pages(ann))
