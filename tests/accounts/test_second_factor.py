"""The second factor: a code of an app, or a recovery code, each once."""

import base64
import re

import pytest
from allauth.mfa.models import Authenticator

from accounts.models import AuditEntry
from accounts.second_factor import take_second_factor
from tests import factories
from tests.accounts.signing_in import (
    PASSWORD,
    ask_for_token,
    code_now,
    confirm,
    is_inside,
    sign_in,
    turn_on_second_factor,
)
from tests.doors import api, pages


@pytest.fixture
def second(ann):
    """(secret, recovery codes) of Ann."""
    return turn_on_second_factor(ann)


@pytest.fixture
def strict(settings):
    settings.SECOND_FACTOR_FOR_STAFF = True


@pytest.fixture
def chief(db):
    return factories.make_user(email="chief@example.org", password=PASSWORD, is_staff=True, is_superuser=True)


def give(browser, code):
    return browser.post("/sign-in/code/", {"code": code})


def half_way():
    """A browser with the right password and no code yet."""
    browser = pages()
    assert sign_in(browser)["Location"] == "/sign-in/code/"
    return browser


def test_it_is_turned_on_with_a_picture_and_a_code_and_gives_recovery_codes(
    ann, letters, django_capture_on_commit_callbacks
):
    browser = pages(ann)
    assert browser.get("/security/second-factor/")["Location"].startswith("/security/confirm/")
    confirm(browser)
    page = browser.get("/security/second-factor/").content.decode()
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)[1]
    assert base64.b64decode(picture).startswith(b"<?xml")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post("/security/second-factor/", {"code": code_now(secret)})
    assert answer["Location"] == "/security/recovery-codes/"
    assert "second factor is on" in letters()[0].body
    codes = re.search(r"<pre>(.*?)</pre>", browser.get(answer["Location"]).content.decode(), re.S)[1].split()
    assert len(set(codes)) == 10
    assert AuditEntry.objects.filter(action="second_factor.add", actor=ann).exists()
    browser = half_way()
    assert give(browser, codes[0])["Location"] == "/"
    assert is_inside(browser)


def test_a_wrong_code_does_not_turn_it_on(ann):
    browser = pages(ann)
    confirm(browser)
    browser.get("/security/second-factor/")
    assert "code is wrong" in browser.post("/security/second-factor/", {"code": "000000x"}).content.decode()
    assert not Authenticator.objects.exists()


def test_the_database_holds_its_secret_encrypted(ann, second):
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert second[0] not in kept and second[1][0] not in kept
    assert Authenticator.objects.get(type="totp").data["secret"].startswith("gAAAA")


def test_a_password_alone_opens_nothing(ann, second):
    browser = half_way()
    assert not is_inside(browser)
    assert browser.get("/api/me/").status_code == 401
    assert browser.get("/admin/").status_code == 302
    assert ask_for_token().status_code == 401


def test_where_one_wanted_to_go_outlives_the_code(ann, second):
    browser = pages()
    sign_in(browser, next="/tokens/")
    assert give(browser, code_now(second[0]))["Location"] == "/tokens/"


def test_a_code_that_was_used_is_refused_on_every_door(ann, second):
    code = code_now(second[0])
    assert give(half_way(), code).status_code == 302
    again = half_way()
    assert "has been used" in give(again, code).content.decode()
    assert not is_inside(again)
    assert ask_for_token(code=code).status_code == 401


def test_a_recovery_code_that_was_used_is_refused_on_every_door(ann, second):
    _secret, codes = second
    assert ask_for_token(code=codes[3]).status_code == 201
    assert ask_for_token(code=codes[3]).status_code == 401
    assert "has been used" in give(half_way(), codes[3]).content.decode()
    assert give(half_way(), codes[4]).status_code == 302


def test_the_api_says_what_is_missing(ann, second):
    assert "send its code" in ask_for_token().json()["detail"]
    assert "code is wrong" in ask_for_token(code="123").json()["detail"]
    assert ask_for_token(code=code_now(second[0])).status_code == 201


def test_a_code_is_no_password(ann, second):
    assert ask_for_token(password="wrong", code=code_now(second[0])).json() == {
        "detail": "Email or password is wrong."
    }


def test_nobody_guesses_codes_for_long(ann, second):
    browser = half_way()
    tries = [give(browser, f"00000{turn}x").status_code for turn in range(5)]
    assert tries == [200] * 5
    assert give(browser, code_now(second[0])).status_code == 429
    answer = ask_for_token(code=code_now(second[0]))
    assert answer.status_code == 429 and answer["Retry-After"] == "300"


def test_the_code_page_is_closed_without_a_password_before_it(ann, second):
    assert give(pages(), code_now(second[0]))["Location"] == "/sign-in/"


def test_it_is_turned_off_only_after_the_password_once_more(ann, second):
    browser = half_way()
    give(browser, second[1][0])
    assert browser.post("/security/second-factor/off/")["Location"].startswith("/security/confirm/")
    assert Authenticator.objects.filter(type="totp").exists()
    confirm(browser)
    assert browser.post("/security/second-factor/off/")["Location"] == "/security/"
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.filter(action="second_factor.remove", actor=ann).exists()


def test_new_recovery_codes_end_the_old_ones(ann, second):
    browser = half_way()
    give(browser, second[1][0])
    assert browser.get("/security/recovery-codes/").status_code == 302
    confirm(browser)
    before = browser.get("/security/recovery-codes/").content.decode()
    assert second[1][1] in before and second[1][0] not in before
    browser.post("/security/recovery-codes/new/")
    assert second[1][1] not in browser.get("/security/recovery-codes/").content.decode()
    assert ask_for_token(code=second[1][1]).status_code == 401


def test_who_lost_both_is_helped_by_staff(ann, second, chief):
    take_second_factor(ann, by=chief)
    assert sign_in(pages())["Location"] == "/"
    assert AuditEntry.objects.filter(action="second_factor.remove", actor=chief).exists()


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/profile/", "/tokens/", "/sessions/", "/security/", "/admin/login/"]
)
def test_staff_without_it_are_led_to_turning_it_on(strict, chief, path):
    assert pages(chief).get(path)["Location"] == "/security/second-factor/"


def test_staff_without_it_get_nothing_from_the_api(strict, chief):
    browser = pages(chief)
    for answer in (
        browser.get("/api/me/"),
        api(chief).get("/api/courses/"),
        api(chief).get("/api/v1/models"),
    ):
        assert answer.status_code == 403
        assert "second factor" in answer.content.decode()
    assert ask_for_token("chief@example.org").status_code == 403
    assert ask_for_token("chief@example.org", "wrong").status_code == 401


def test_staff_without_it_can_turn_it_on_and_are_in(strict, chief):
    browser = pages()
    sign_in(browser, chief.email)
    confirm(browser)
    page = browser.get("/security/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    browser.post("/security/second-factor/", {"code": code_now(secret)})
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/api/me/").status_code == 200


def test_staff_cannot_turn_it_off_where_it_is_required(strict, chief):
    turn_on_second_factor(chief)
    browser = pages(chief)
    confirm(browser)
    assert "Staff need a second factor" in browser.post("/security/second-factor/off/").content.decode()
    assert Authenticator.objects.filter(user=chief, type="totp").exists()


def test_it_is_required_of_nobody_else(strict, ann):
    assert is_inside(pages(ann)) and api(ann).get("/api/me/").status_code == 200
