"""The audit trail of a course: who sees it, what fits a filter, what a spreadsheet gets of it."""

import csv
import io

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, record
from tests import factories
from tests.doors import api, pages


def table(answer):
    text = b"".join(answer).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def busy(full_course, owner, editor):
    full_course.set_role(editor, "reviewer", by=owner)
    full_course.set_role(editor, "editor", by=owner)
    full_course.change(by=editor, title="The light")
    return full_course


def test_the_page_says_who_did_what_and_what_changed(busy, owner):
    page = pages(owner).get(f"/courses/{busy.pk}/audit/").content.decode()
    assert "role: editor → reviewer" in page and "title: The lighthouse → The light" in page
    assert "Olga Owner" in page and "text.add" in page


def test_names_and_emails_of_people_do_not_get_into_the_trail(busy, owner):
    assert AuditEntry.objects.filter(object_label__startswith="person ").exists()
    for row in AuditEntry.objects.values():
        assert "@example.org" not in str(row) and "Editor" not in str(row)


def test_a_filter_leaves_what_fits(busy, owner, editor):
    client, today = api(owner), timezone.localdate().isoformat()
    address = f"/api/courses/{busy.pk}/audit/"

    def told(**query):
        return client.get(address, query).json()

    assert {row["action"] for row in told(action="text.add")["results"]} == {"text.add"}
    assert {row["actor"] for row in told(person=editor.pk)["results"]} == {editor.pk}
    assert told(since=today)["count"] == told()["count"] > 0
    assert told(until="2020-01-01")["count"] == 0
    page = pages(owner).get(f"/courses/{busy.pk}/audit/", {"action": "course.change"}).content.decode()
    assert page.count("<code>course.change</code>") == 1 and "<code>text.add</code>" not in page


@pytest.mark.parametrize(
    "query", [{"person": "x"}, {"since": "soon"}, {"person": 10**30}, {"until": "2020-13-01"}]
)
def test_a_bad_filter_is_told(busy, owner, query):
    assert api(owner).get(f"/api/courses/{busy.pk}/audit/", query).status_code == 400
    page = pages(owner).get(f"/courses/{busy.pk}/audit/", query)
    assert page.status_code == 200 and 'class="errorlist' in page.content.decode()
    assert pages(owner).get(f"/courses/{busy.pk}/audit.csv", query).status_code == 200


def test_the_trail_of_another_course_stays_there(busy, owner, stranger):
    other = factories.make_course(owner=owner, title="Elsewhere")
    record(owner, "course.secret", other, other)
    told = api(owner).get(f"/api/courses/{busy.pk}/audit/", {"action": "course.secret"}).json()
    assert told["count"] == 0
    assert api(stranger).get(f"/api/courses/{busy.pk}/audit/").status_code == 404


@pytest.mark.parametrize("title", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1+1", " =1+1"])
def test_a_spreadsheet_runs_nothing(owner, title):
    course = factories.make_course(owner=owner, title=title)
    rows = table(pages(owner).get(f"/courses/{course.pk}/audit.csv"))
    label = next(row["object label"] for row in rows if row["action"] == "course.start")
    assert label == f"'{title}"


def test_the_file_holds_every_entry_with_its_origin(busy, owner):
    browser = pages(owner)
    browser.post(f"/courses/{busy.pk}/settings/", {"title": "Again", "language": "en"})
    program = api(owner)
    rows = table(browser.get(f"/courses/{busy.pk}/audit.csv"))
    assert len(rows) == AuditEntry.objects.filter(course_id=busy.pk).count()
    (row,) = [row for row in rows if '"Again"' in row["after"]]
    assert row["address"] == "127.0.0.1" and len(row["request"]) == 32 and row["role"] == "owner"
    assert table(program.get(f"/api/courses/{busy.pk}/audit.csv")) == rows


def test_every_answer_carries_an_id_of_ours_not_the_clients(owner):
    browser = pages(owner)
    first = browser.get("/", headers={"x-request-id": "mine"})["X-Request-Id"]
    assert len(first) == 32 and first != browser.get("/")["X-Request-Id"]


def test_outside_a_request_an_entry_has_no_address(course):
    entry = AuditEntry.objects.filter(course_id=course.pk).first()
    assert (entry.address, entry.request_id) == (None, "")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("", None),
        ("unknown", None),
        ("a\x00b", None),
    ],
)
def test_an_address_is_kept_only_if_it_is_one(course, owner, told, kept):
    pages(owner).post(f"/courses/{course.pk}/settings/", {"title": "x", "language": "en"}, REMOTE_ADDR=told)
    assert AuditEntry.objects.get(action="course.change").address == kept
