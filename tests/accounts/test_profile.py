"""One's name, language and clock, and leaving for good."""

import pytest
from django.utils import timezone

from accounts.clock import time_zones, zone_of
from accounts.models import Token, User
from accounts.tokens import make_token
from tests import factories
from tests.accounts.signing_in import PASSWORD, is_inside, sign_in
from tests.doors import api, pages


def save(person, **fields):
    return pages(person).post("/profile/", {"name": "Ann", "language": "en", **fields})


def test_a_time_zone_is_chosen_and_pages_go_by_it(ann):
    make_token(ann, days=1, name="nightly")
    Token.objects.update(created=timezone.datetime(2026, 3, 1, 22, 30, tzinfo=timezone.get_fixed_timezone(0)))
    assert "2026-03-01 22:30" in pages(ann).get("/tokens/").content.decode()
    assert save(ann, time_zone="Asia/Tokyo").status_code == 302
    assert "2026-03-02 07:30" in pages(User.objects.get(pk=ann.pk)).get("/tokens/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_api_tells_the_servers_time_whatever_ones_clock(ann):
    User.objects.filter(pk=ann.pk).update(time_zone="Asia/Tokyo")
    assert api(ann).get("/api/tokens/").json()[0]["created"].endswith("Z")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "x" * 500, "UTC\x00", "EST5EDT;"])
def test_a_time_zone_that_is_none_is_refused_on_both_doors(ann, zone):
    assert 'class="errorlist' in save(ann, time_zone=zone).content.decode()
    assert api(ann).patch("/api/me/", {"time_zone": zone}, format="json").status_code == 400
    ann.refresh_from_db()
    assert ann.time_zone == ""


def test_the_api_sets_and_empties_it(ann):
    program = api(ann)
    assert (
        program.patch("/api/me/", {"time_zone": "Europe/Berlin"}, format="json").json()["time_zone"]
        == "Europe/Berlin"
    )
    assert program.patch("/api/me/", {"time_zone": ""}, format="json").json()["time_zone"] == ""


def test_a_time_zone_that_this_machine_has_forgotten_breaks_no_page(ann):
    User.objects.filter(pk=ann.pk).update(time_zone="Mars/Olympus")
    assert is_inside(pages(User.objects.get(pk=ann.pk)))
    assert zone_of(User(time_zone="Mars/Olympus")) is None


def test_the_choices_are_grouped_and_each_is_a_real_zone():
    groups = dict(each for each in time_zones() if isinstance(each[1], list))
    assert ("Europe/Berlin", "Berlin") in groups["Europe"]
    assert all(zone_of(User(time_zone=name)) for names in groups.values() for name, _label in names)


def test_leaving_needs_the_password(ann):
    browser = pages(ann)
    assert "password is wrong" in browser.post("/profile/delete/", {"password": "wrong"}).content.decode()
    assert User.objects.get(pk=ann.pk).is_active
    assert browser.post("/profile/delete/", {"password": PASSWORD})["Location"] == "/sign-in/"
    gone = User.objects.get(pk=ann.pk)
    assert not gone.is_active and gone.forgotten and "ann" not in gone.email
    assert not is_inside(browser)
    assert sign_in(pages()).status_code == 200


def test_leaving_ends_every_session_and_token(ann):
    program, other = api(ann), pages()
    sign_in(other)
    pages(ann).post("/profile/delete/", {"password": PASSWORD})
    assert program.get("/api/me/").status_code == 401
    assert not is_inside(other)


def test_passwords_are_not_tried_there_for_long(ann):
    browser = pages(ann)
    for _turn in range(5):
        browser.post("/profile/delete/", {"password": "wrong"})
    assert browser.post("/profile/delete/", {"password": PASSWORD}).status_code == 429


def test_the_last_owner_of_a_course_is_told_what_to_do_first(ann):
    factories.make_course(owner=ann, title="Alone")
    page = pages(ann).post("/profile/delete/", {"password": PASSWORD})
    assert page.status_code == 400
    assert "“Alone” needs an owner. Make someone else owner first" in page.content.decode()
    assert User.objects.get(pk=ann.pk).is_active
    assert api(ann).delete("/api/me/").status_code == 400


def test_the_api_deletes_by_a_whole_token_or_by_the_password(ann):
    browser = pages(ann)
    for body in ({}, {"password": "wrong"}):
        assert browser.delete("/api/me/", body, content_type="application/json").status_code == 400
    assert (
        browser.delete("/api/me/", {"password": PASSWORD}, content_type="application/json").status_code == 204
    )
    other = factories.make_user()
    assert api(other).delete("/api/me/").status_code == 204
    assert not User.objects.filter(pk__in=[ann.pk, other.pk], is_active=True).exists()
