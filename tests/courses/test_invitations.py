"""An invitation: a link by mail, for one address, once, for some days, as long as its sender may manage."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from common.states import Refused
from courses.models import Invitation
from tests.common.crowd import at_once
from tests.doors import api, pages

PASSWORD = "a lamp on the far rock"
NEW = {"name": "Nora New", "password": PASSWORD}


@pytest.fixture
def invited(course, owner):
    """(invitation, secret) for an address that nobody here signs in with."""
    return course.invite("Nora@Example.org", "reviewer", by=owner)


def join(person, secret, data=None):
    browser = pages(person)
    address = f"/join/{secret}/"
    return browser.post(address, data) if data is not None else browser.get(address)


def test_an_owner_invites_and_the_link_lets_a_new_person_in(course, owner, settings):
    settings.SITE_URL = "https://tune.example.org"
    page = pages(owner).post(
        f"/courses/{course.pk}/members/",
        {"email": "nora@example.org", "role": "reviewer"},
        headers={"host": "127.0.0.1"},
    )
    link = re.search(r"https://tune.example.org(/join/[\w-]+/)", page.content.decode())[1]
    (letter,) = mail.outbox
    assert letter.to == ["nora@example.org"] and f"https://tune.example.org{link}" in letter.body
    browser = pages()
    assert "Nora" not in browser.get(link).content.decode()
    assert browser.post(link, NEW)["Location"] == f"/courses/{course.pk}/"
    assert browser.get(f"/courses/{course.pk}/datasets/").status_code == 200
    person = User.objects.get(email="nora@example.org")
    assert course.memberships.get(user=person).role == "reviewer" and person.check_password(PASSWORD)


def test_the_link_is_shown_once_and_only_its_hash_is_kept(course, owner, invited):
    invitation, secret = invited
    page = pages(owner).get(f"/courses/{course.pk}/invitations/").content.decode()
    assert "nora@example.org" in page and secret not in page
    assert secret not in str(Invitation.objects.filter(pk=invitation.pk).values())


def test_a_link_works_once(course, invited):
    _invitation, secret = invited
    assert join(None, secret, NEW).status_code == 302
    assert join(None, secret).status_code == 404
    assert join(None, secret, {"name": "Eve", "password": PASSWORD}).status_code == 404


def test_a_link_works_for_the_invited_address_only(course, invited, stranger):
    _invitation, secret = invited
    assert "signed in as" in join(stranger, secret).content.decode()
    assert join(stranger, secret, {}).status_code == 400
    assert not course.memberships.filter(user=stranger).exists()


def test_who_has_an_account_signs_in_and_joins(course, owner, stranger):
    _invitation, secret = course.invite(stranger.email, "student", by=owner)
    guest = join(None, secret).content.decode()
    assert f"/sign-in/?next=/join/{secret}/" in guest and 'name="password"' not in guest
    assert join(None, secret, NEW).status_code == 400
    assert join(stranger, secret, {})["Location"] == f"/courses/{course.pk}/"
    assert course.memberships.get(user=stranger).role == "student"


@pytest.mark.parametrize(
    "end", ["too old", "taken back", "sender left", "sender is inactive", "sender is gone", "made anew"]
)
def test_a_link_that_should_open_nothing_opens_nothing(course, owner, editor, invited, end):
    invitation, secret = invited
    course.set_role(editor, "owner", by=owner)
    if end == "too old":
        Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    elif end == "taken back":
        pages(owner).post(f"/invitations/{invitation.pk}/revoke/")
    elif end == "sender left":
        course.remove_member(owner, by=editor)
    elif end == "sender is inactive":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    elif end == "sender is gone":
        Invitation.objects.update(by=None)
    else:
        course.invite("nora@example.org", "student", by=owner)
    assert join(None, secret).status_code == 404
    assert join(None, secret, NEW).status_code == 404
    assert not User.objects.filter(email="nora@example.org").exists()


@pytest.mark.parametrize("secret", ["x", "0" * 43, "%00", "..", "é" * 10, "a" * 5000])
def test_a_guessed_link_opens_nothing(course, invited, secret):
    assert pages().get(f"/join/{secret}/").status_code == 404


@pytest.mark.parametrize(
    "data", [{"name": "Nora"}, {"name": "Nora", "password": "123"}, {"name": "", "password": PASSWORD},
             {"name": "Nora", "password": "nora@example.org"}, {"name": "N" * 200, "password": PASSWORD},
             {"name": "a\x00b", "password": PASSWORD}]
)  # fmt: skip
def test_a_bad_form_leaves_the_link_open(course, invited, data):
    _invitation, secret = invited
    page = join(None, secret, data)
    assert page.status_code == 200 and 'class="errorlist' in page.content.decode()
    assert Invitation.objects.open().count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_follow_the_link_at_once_one_gets_in(course, owner):
    invitation, _secret = course.invite("nora@example.org", "student", by=owner)

    def enter():
        try:
            return invitation.enrol("Nora", PASSWORD)
        except Exception as error:
            return type(error).__name__

    told = at_once(2, enter)
    assert sum(isinstance(each, User) for each in told) == 1, told
    assert course.memberships.filter(user__email="nora@example.org").count() == 1


def test_the_api_invites_lists_and_takes_back(course, owner):
    client = api(owner)
    address = f"/api/courses/{course.pk}/invitations/"
    made = client.post(address, {"email": "Nora@example.org", "role": "editor"}, format="json")
    assert made.status_code == 201 and "/join/" in made.json()["link"]
    (row,) = client.get(address).json()["results"]
    assert row["email"] == "nora@example.org" and "link" not in row and "digest" not in row
    assert client.delete(f"/api/invitations/{row['id']}/").status_code == 204
    assert client.delete(f"/api/invitations/{row['id']}/").status_code == 400


@pytest.mark.parametrize("body", [{}, {"email": "x", "role": "student"}, {"email": "a@example.org", "role": "god"},
                                  {"email": ["a@example.org"], "role": "student"}])  # fmt: skip
def test_a_bad_invitation_is_400(course, owner, body):
    assert api(owner).post(f"/api/courses/{course.pk}/invitations/", body, format="json").status_code == 400


def test_a_mail_server_that_is_down_loses_nothing(course, owner, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    page = pages(owner).post(
        f"/courses/{course.pk}/members/", {"email": "nora@example.org", "role": "student"}
    )
    assert "could not be sent" in page.content.decode() and "/join/" in page.content.decode()


def test_a_letter_has_one_subject_whatever_the_title(course, owner):
    course.change(by=owner, title="Bells\nBcc: eve@example.org")
    pages(owner).post(f"/courses/{course.pk}/members/", {"email": "nora@example.org", "role": "student"})
    assert "\n" not in mail.outbox[0].subject and mail.outbox[0].to == ["nora@example.org"]


def test_an_invitation_that_is_used_cannot_be_taken_back(course, owner, invited):
    invitation, secret = invited
    join(None, secret, NEW)
    with pytest.raises(Refused):
        invitation.revoke(by=owner)
