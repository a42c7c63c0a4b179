"""A new password: by a link in a mail, or by the old one."""

import re
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage, get_connection

from accounts.models import AuditEntry, User
from tests import factories
from tests.accounts.signing_in import PASSWORD, ask_for_token, is_inside, sign_in
from tests.doors import pages

NEW = "the second lamp from the left"


def ask(email="ann@example.org", **more):
    return pages().post("/password/reset/", {"email": email}, **more)


def link_in(letter):
    return re.search(r"https?://\S+", letter.body)[0]


def follow(link, browser=None):
    """(browser, address of the form) behind the link; None where it is closed."""
    browser = browser or pages()
    answer = browser.get("/" + link.split("/", 3)[3])
    return browser, answer["Location"] if answer.status_code == 302 else None


def choose(browser, form, password=NEW):
    return browser.post(form, {"password1": password, "password2": password})


def test_a_link_in_a_mail_leads_to_a_new_password(ann, letters):
    ask("Ann@Example.org")
    (letter,) = letters()
    assert letter.to == ["ann@example.org"]
    browser, form = follow(link_in(letter))
    assert "set-password" in form
    assert choose(browser, form)["Location"] == "/password/reset/done/"
    assert sign_in(pages()).status_code == 200
    assert sign_in(pages(), password=NEW).status_code == 302
    ann.refresh_from_db()
    assert ann.password.startswith("argon2")
    assert AuditEntry.objects.filter(action="password.reset", object_id=str(ann.pk)).exists()
    assert "password is set anew" in letters()[1].body


def test_a_link_works_once(ann, letters):
    ask()
    link = link_in(letters()[0])
    browser, form = follow(link)
    late, late_form = follow(link)
    choose(browser, form)
    assert follow(link)[1] is None
    page = choose(late, late_form, "a third password for it").content.decode()
    assert "used or too old" in page
    assert sign_in(pages(), password=NEW).status_code == 302


def test_a_link_dies_within_an_hour(ann, letters, monkeypatch):
    ask()
    link = link_in(letters()[0])
    later = datetime.now() + timedelta(minutes=61)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: later)
    assert follow(link)[1] is None


@pytest.mark.parametrize(
    "change", [{"email": "ann@elsewhere.example"}, {"is_active": False}, {"is_service": True}]
)
def test_a_link_dies_with_what_it_was_for(ann, letters, change):
    ask()
    User.objects.filter(pk=ann.pk).update(**change)
    assert follow(link_in(letters()[0]))[1] is None


def test_the_link_of_one_does_not_open_the_account_of_another(ann, letters):
    other = factories.make_user(email="bob@example.org", password=PASSWORD)
    ask()
    link = link_in(letters()[0])
    own = re.search(r"/reset/([0-9a-z]+)-", link)[1]
    assert follow(link.replace(f"/{own}-", f"/{other.pk}-"))[1] is None


@pytest.mark.parametrize("link", ["x-y", "1-set-password", "zzzzzzzzzzzzz-abc", "0-a", "1-cb1-0000"])
def test_a_made_up_link_is_closed_and_breaks_nothing(ann, link):
    page = pages().get(f"/password/reset/{link}/")
    assert page.status_code == 200 and "used or too old" in page.content.decode()


@pytest.mark.parametrize("host", ["evil.example", "testserver:80@evil.example", "other.example"])
def test_the_link_never_leads_to_the_host_that_the_request_names(ann, letters, settings, host):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://coursetune.example/", ["testserver", "other.example"]
    ask(HTTP_HOST=host)
    ask(HTTP_X_FORWARDED_HOST=host)
    found = [link_in(letter) for letter in letters()]
    assert found and all(link.startswith("https://coursetune.example/password/reset/") for link in found)


@pytest.mark.parametrize("email", ["nobody@example.org", "left@example.org", "robot@example.org"])
def test_whether_an_email_is_known_does_not_show_and_strangers_get_no_mail(ann, letters, email):
    factories.make_user(email="left@example.org", password=PASSWORD, is_active=False)
    factories.make_user(email="robot@example.org", is_service=True)
    known, other = ask(), ask(email)
    assert (known.status_code, known.headers["Location"]) == (other.status_code, other.headers["Location"])
    assert [letter.to for letter in letters()] == [["ann@example.org"]]


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_nobody_is_flooded_with_links(ann, letters, email):
    for _turn in range(3):
        assert ask(email).status_code == 302
    assert ask(email.upper()).status_code == 429
    assert len(letters()) == (3 if email == ann.email else 0)


def test_a_letter_is_in_the_language_of_its_reader(ann, letters):
    User.objects.filter(pk=ann.pk).update(language="ru")
    ask()
    letter = letters()[0]
    assert link_in(letter)
    assert letter.subject == "Новый пароль для CourseTune"


def test_a_mail_server_that_is_away_changes_no_answer_and_is_logged_without_the_link(
    ann, letters, settings, caplog
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert ask().status_code == 302
    assert letters() == []
    assert "a mail was not sent" in caplog.text
    assert "/password/reset/" not in caplog.text and ann.email not in caplog.text


def test_mails_in_files_are_for_nobody_else(tmp_path):
    folder = tmp_path / "mail"
    connection = get_connection("accounts.mailbox.Folder", file_path=str(folder))
    connection.send_messages([EmailMessage("A link", "secret", to=["ann@example.org"])])
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    (file,) = folder.iterdir()
    assert "secret" in file.read_text()


@pytest.mark.parametrize("password", ["short", "password", "12345678901", "ann@example.org", ""])
def test_a_weak_password_is_refused(ann, letters, password):
    ask()
    browser, form = follow(link_in(letters()[0]))
    assert 'class="errorlist' in choose(browser, form, password).content.decode()
    assert sign_in(pages()).status_code == 302


def test_the_old_password_is_needed_for_a_new_one_and_other_sessions_end(ann, letters):
    here, there = pages(), pages()
    sign_in(here)
    sign_in(there)
    new = {"password1": NEW, "password2": NEW}
    assert (
        "password is wrong" in here.post("/security/password/", {"oldpassword": "x", **new}).content.decode()
    )
    assert here.post("/security/password/", {"oldpassword": PASSWORD, **new})["Location"] == "/security/"
    assert is_inside(here) and not is_inside(there)
    assert "password is changed" in letters()[0].body
    assert AuditEntry.objects.filter(action="password.change", actor=ann).exists()
    assert ask_for_token(password=NEW).status_code == 201


def test_nobody_tries_many_old_passwords_in_a_session_that_was_left_open(ann):
    browser = pages(ann)
    body = {"oldpassword": "x", "password1": NEW, "password2": NEW}
    answers = [browser.post("/security/password/", body).status_code for _turn in range(11)]
    assert answers == [200] * 10 + [429]


def test_who_has_no_password_yet_is_led_to_the_link(db):
    person = factories.make_user(email="new@example.org")
    assert pages(person).get("/security/password/")["Location"] == "/password/reset/"


def test_a_new_password_opens_what_too_many_tries_have_closed(ann, letters):
    for _turn in range(6):
        sign_in(pages(), password="wrong")
    ask()
    browser, form = follow(link_in(letters()[0]))
    choose(browser, form)
    assert sign_in(pages(), password=NEW).status_code == 302
