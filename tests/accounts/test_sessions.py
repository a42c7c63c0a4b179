"""Where one is signed in, and ending it from elsewhere."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.sessions import browser
from tests import factories
from tests.accounts.signing_in import PASSWORD, is_inside, sign_in
from tests.doors import api, pages

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"


@pytest.fixture
def here(ann):
    window = pages()
    sign_in(window)
    return window


@pytest.fixture
def there(ann):
    window = pages()
    window.post("/sign-in/", {"login": ann.email, "password": PASSWORD}, HTTP_USER_AGENT=FIREFOX)
    return window


def row_of(window):
    return UserSession.objects.get(session_key=window.session.session_key)


def test_the_page_shows_each_session_and_which_one_is_this(here, there):
    page = here.get("/sessions/").content.decode()
    assert "Firefox, Linux" in page and "127.0.0.1" in page
    assert page.count("this one") == 1
    assert f"/sessions/{row_of(there).pk}/end/" in page
    assert f"/sessions/{row_of(here).pk}/end/" not in page
    for key in (here.session.session_key, there.session.session_key):
        assert key not in page


def test_a_session_that_is_ended_elsewhere_is_out_at_once(here, there, ann):
    assert is_inside(there)
    assert here.post(f"/sessions/{row_of(there).pk}/end/")["Location"] == "/sessions/"
    assert not is_inside(there)
    assert there.get("/api/me/").status_code == 401
    assert is_inside(here)
    assert AuditEntry.objects.filter(action="session.end", actor=ann).exists()


def test_all_others_end_and_this_one_stays(here, there, ann):
    third = pages()
    sign_in(third)
    here.post("/sessions/end-others/")
    assert [is_inside(window) for window in (here, there, third)] == [True, False, False]


def test_nobody_ends_the_session_of_another(here, owner):
    pk = row_of(here).pk
    assert pages(owner).post(f"/sessions/{pk}/end/").status_code == 404
    assert api(owner).delete(f"/api/sessions/{pk}/").status_code == 404
    assert is_inside(here)


def test_the_api_lists_and_ends_sessions(here, there, ann):
    program = api(ann)
    rows = program.get("/api/sessions/").json()
    assert {row["id"] for row in rows} == {row_of(here).pk, row_of(there).pk}
    assert set(rows[0]) == {"id", "browser", "address", "begun", "last_seen", "current"}
    assert not any(row["current"] for row in rows)
    assert [row["current"] for row in here.get("/api/sessions/").json()].count(True) == 1
    assert program.delete(f"/api/sessions/{row_of(there).pk}/").status_code == 204
    assert not is_inside(there) and is_inside(here)


def test_when_it_was_last_seen_is_noted_once_a_minute(here, django_assert_num_queries):
    here.get("/language/")
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=2))
    is_inside(here)
    assert timezone.now() - row_of(here).last_seen_at > timedelta(hours=1)
    session = here.session
    session["seen"] -= 61
    session.save()
    is_inside(here)
    assert timezone.now() - row_of(here).last_seen_at < timedelta(minutes=1)


def test_a_session_that_is_over_is_not_listed(here, there):
    there.post("/sign-out/")
    assert len(here.get("/api/sessions/").json()) == 1


def test_signing_in_changes_the_key_of_the_session(ann):
    window = pages()
    window.get("/sign-in/")
    session = window.session
    session["before"] = 1
    session.save()
    before = window.session.session_key
    sign_in(window)
    assert window.session.session_key != before


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604", "Safari, iOS"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537", "Chrome, Android"),
        ("curl/8.5.0", "curl/8.5.0"), ("", ""), ("<script>" * 20, ("<script>" * 20)[:40]),
    ],
)  # fmt: skip
def test_a_browser_has_a_name_that_people_know(agent, name):
    assert browser(agent) == name


def test_a_hostile_name_of_a_browser_stays_text(ann):
    window = pages()
    hostile = "<script>alert(1)</script>"
    window.post("/sign-in/", {"login": ann.email, "password": PASSWORD}, HTTP_USER_AGENT=hostile)
    assert hostile not in window.get("/sessions/").content.decode()


def test_many_sessions_of_others_cost_nothing(here, django_assert_max_num_queries):
    for _turn in range(3):
        pages(factories.make_user()).get("/profile/")
    here.get("/sessions/")
    with django_assert_max_num_queries(8):
        here.get("/sessions/")
