"""Notices: to whom, once, on the pages and through the API, in the reader's language, and put away by each."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from courses.notices import SENTENCES, WARNINGS, Kind, Notice
from evaluation.models import Evaluation
from tests import factories
from tests.doors import api, pages

FACTS = {"job": 1, "version": 1, "evaluation": 1, "base": "tiny", "model": "ft:tiny", "ends": "2027-01-14"}


def warn(course, person, key="7:2027-01-14:60", kind=Kind.MODEL_ENDS, **data):
    ends = timezone.localdate() + timedelta(days=50)
    facts = {"job": 1, "version": 1, "base": "tiny", "model": "ft:tiny", "ends": ends.isoformat(), **data}
    Notice.objects.tell(course, kind, key, [person], **facts)
    return Notice.objects.get(course=course, kind=kind, key=key, person=person)


@pytest.fixture
def warned(course, owner):
    return warn(course, owner)


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_kind_has_its_sentence_in_both_languages(kind, language):
    with translation.override(language):
        text = Notice(kind=kind, key="1", data=FACTS).told(date(2026, 11, 25))
    assert text and "%" not in text
    assert ("2027-01-14" in text) == (kind in WARNINGS)
    assert set(SENTENCES) == set(Kind)


def test_the_words_tell_the_days_that_are_left_when_they_are_read():
    notice = Notice(kind=Kind.MODEL_ENDS, key="1", data=FACTS)
    assert "shuts down on 2027-01-14, in 50 days." in notice.told(date(2026, 11, 25))
    assert "in 1 day." in notice.told(date(2027, 1, 13))
    assert "2027-01-14, today." in notice.told(date(2027, 1, 14))
    assert "has been shut down on 2027-01-14, 6 days ago." in notice.told(date(2027, 1, 20))


def test_the_same_told_twice_is_told_once(course, owner, editor):
    for _turn in range(3):
        Notice.objects.tell(course, Kind.JOB_FAILED, "1", [owner, editor], job=1, base="tiny")
    Notice.objects.tell(course, Kind.JOB_FAILED, "2", [owner], job=2, base="tiny")
    assert sorted(Notice.objects.values_list("person__email", "key")) == [
        ("editor@example.org", "1"), ("owner@example.org", "1"), ("owner@example.org", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_who_started_a_job_is_told_how_it_ended(version, editor, state):
    job = factories.make_job(version=version, by=editor)
    if state == "succeeded":
        factories.make_tuned_model(job=job)
    else:
        {"failed": lambda: job.fail("bad", "Too long."), "cancelled": lambda: job.cancel(by=editor)}[state]()
    notice = Notice.objects.get()
    assert (notice.person, notice.kind, notice.path) == (editor, f"job.{state}", f"/jobs/{job.pk}/")
    assert str(job.pk) in notice.text and job.model.name in notice.text


def test_a_job_that_nobody_started_tells_nobody(version):
    factories.make_tuned_model(version=version)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_who_started_an_evaluation_is_told_when_it_is_over(version, owner, reviewer, end):
    evaluation = Evaluation.objects.start(factories.make_tuned_model(version=version), by=owner)
    evaluation.arms.first().answers.model.objects.update(
        text="Oil.", scores={"chrf": 1, "token_f1": 1}, answered=timezone.now()
    )
    {"finish": evaluation.finish, "fail": lambda: evaluation.fail("It does not answer.")}[end]()
    notice = Notice.objects.get()
    assert notice.person == owner and notice.kind == f"evaluation.{'done' if end == 'finish' else 'failed'}"
    assert notice.path == f"/evaluations/{evaluation.pk}/" and "ft:tiny:course" in notice.text


def test_a_warning_stands_on_every_page_of_the_course_until_it_is_put_away(warned, course, owner):
    browser = pages(owner)
    for where in ("texts", "datasets", "jobs", "evaluations", "assistants", "members"):
        assert "shuts down on" in browser.get(f"/courses/{course.pk}/{where}/").content.decode(), where
    here = f"/courses/{course.pk}/jobs/"
    answer = browser.post(f"/notices/{warned.pk}/put-away/", {"next": here})
    assert answer["Location"] == here
    assert "shuts down on" not in browser.get(here).content.decode()
    assert "shuts down on" in browser.get(f"/courses/{course.pk}/notices/").content.decode()


def test_one_owner_puts_away_for_oneself_alone(course, owner, editor):
    course.set_role(editor, "owner", by=owner)
    mine, theirs = warn(course, owner), warn(course, editor)
    pages(owner).post(f"/notices/{mine.pk}/put-away/")
    assert "shuts down on" in pages(editor).get(f"/courses/{course.pk}/jobs/").content.decode()
    theirs.refresh_from_db()
    assert theirs.seen is None


def test_of_warnings_on_one_model_the_latest_stands_and_takes_the_earlier_with_it(course, owner):
    warn(course, owner, key="7:2027-01-14:60")
    latest = warn(course, owner, key="7:2027-01-14:14")
    other = warn(course, owner, key="71:2027-01-14:60", model="ft:other")
    page = pages(owner).get(f"/courses/{course.pk}/texts/").content.decode()
    assert page.count("ft:tiny") == 1 and f"/notices/{latest.pk}/" in page and f"/notices/{other.pk}/" in page
    pages(owner).post(f"/notices/{latest.pk}/put-away/")
    assert list(Notice.objects.filter(seen=None)) == [other]


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_putting_away_leads_to_no_other_site(warned, course, owner, back):
    answer = pages(owner).post(f"/notices/{warned.pk}/put-away/", {"next": back})
    assert answer["Location"] == f"/courses/{course.pk}/notices/"


def test_names_in_a_notice_are_only_words(course, owner):
    warn(course, owner, model="<script>alert(1)</script>")
    for where in ("texts", "notices"):
        page = pages(owner).get(f"/courses/{course.pk}/{where}/").content.decode()
        assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_who_sees_notices_and_whose(warned, course, owner, editor, reviewer, student, stranger, staff):
    for person, status in [
        (owner, 200),
        (editor, 200),
        (reviewer, 200),
        (staff, 200),
        (student, 403),
        (stranger, 404),
    ]:
        page = pages(person).get(f"/courses/{course.pk}/notices/")
        told = api(person).get(f"/api/courses/{course.pk}/notices/")
        assert (page.status_code, told.status_code) == (status, status), person
        assert ("shuts down" in page.content.decode()) == (person == owner)
        if status == 200:
            assert told.json()["count"] == (1 if person == owner else 0)
    assert api().get(f"/api/courses/{course.pk}/notices/").status_code == 401


def test_nobody_puts_away_what_was_told_another(warned, course, owner, editor, student, stranger, staff):
    for person in (editor, student, stranger, staff):
        assert pages(person).post(f"/notices/{warned.pk}/put-away/").status_code == 404
        assert api(person).post(f"/api/notices/{warned.pk}/put-away/").status_code == 404
    assert pages().post(f"/notices/{warned.pk}/put-away/")["Location"].startswith("/sign-in/")
    assert api().post(f"/api/notices/{warned.pk}/put-away/").status_code == 401
    assert pages(owner).get(f"/notices/{warned.pk}/put-away/").status_code == 405
    course.set_role(editor, "owner", by=owner)
    course.remove_member(owner, by=editor)
    assert pages(owner).post(f"/notices/{warned.pk}/put-away/").status_code == 404


def test_the_api_tells_it_and_puts_it_away(warned, course, owner):
    row = api(owner).get(f"/api/courses/{course.pk}/notices/").json()["results"][0]
    assert (row["kind"], row["seen"], row["mailed"]) == ("model.ends", None, None)
    assert row["text"] == warned.text and row["data"]["model"] == "ft:tiny"
    assert (row["path"], row["elsewhere"]) == ("/jobs/1/", "/versions/1/train/?elsewhere=1")
    told = api(owner).post(f"/api/notices/{warned.pk}/put-away/").json()
    assert told["seen"] and told["id"] == warned.pk


def queries(person, where):
    browser = pages(person)
    with CaptureQueriesContext(connection) as found:
        assert browser.get(where).status_code == 200
    return [each["sql"] for each in found if "courses_notice" in each["sql"]]


def test_a_page_asks_for_notices_once_however_many_there_are(course, owner, student):
    where = f"/courses/{course.pk}/texts/"
    assert len(queries(owner, where)) == 1
    for number in range(30):
        warn(course, owner, key=f"{number}:2027-01-14:60")
        Notice.objects.tell(course, Kind.JOB_FAILED, f"{number}", [owner], job=1, base="tiny")
    assert len(queries(owner, where)) == 1


def test_notices_go_with_their_course_and_with_their_person(warned, course, owner, editor):
    course.set_role(editor, "owner", by=owner)
    warn(course, editor)
    owner.forget(by=owner)
    assert [each.person for each in Notice.objects.all()] == [editor]
    course.remove(by=editor)
    assert not Notice.objects.exists()
