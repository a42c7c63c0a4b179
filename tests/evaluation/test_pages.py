"""The pages of evaluations: who sees them, what they tell, and how the live part ends."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluation.answering import advance
from evaluation.models import Evaluation
from tests import factories
from tests.doors import pages

EVIL = "<script>alert(1)</script>"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def evaluation(tuned, owner):
    return Evaluation.objects.start(tuned, by=owner)


@pytest.fixture
def ended(evaluation, learnt):
    advance(evaluation)
    return evaluation


def address(evaluation):
    return f"/evaluations/{evaluation.pk}/"


def shown(person, where, **more):
    answer = pages(person).get(where, **more)
    assert answer.status_code == 200, where
    return answer.content.decode()


PAGES = [
    # method, address, who may; those who may not are refused, and students do not see that it is there
    ("get", "/evaluations/{evaluation}/", "oer"),
    ("post", "/models/{tuned}/evaluate/", "oe"),
    ("post", "/evaluations/{evaluation}/cancel/", "oe"),
]


@pytest.mark.parametrize(("method", "where", "may"), PAGES)
def test_who_may_what(evaluation, tuned, owner, editor, reviewer, student, stranger, method, where, may):
    where = where.format(evaluation=evaluation.pk, tuned=tuned.pk)
    for letter, person in {"r": reviewer, "e": editor, "o": owner}.items():
        Evaluation.objects.update(state="running")
        status = getattr(pages(person), method)(where).status_code
        assert status == ({"get": 200, "post": 302}[method] if letter in may else 403), person
    for person in (student, stranger):
        assert getattr(pages(person), method)(where).status_code == 404
    assert getattr(pages(), method)(where)["Location"] == f"/sign-in/?next={where}"


def test_the_list_is_for_those_who_review(evaluation, course, reviewer, student, stranger):
    where = f"/courses/{course.pk}/evaluations/"
    assert f'href="{address(evaluation)}"' in shown(reviewer, where)
    assert pages(student).get(where).status_code == 403
    assert pages(stranger).get(where).status_code == 404


@pytest.mark.parametrize("where", ["/models/{}/evaluate/", "/evaluations/{}/cancel/"])
def test_what_changes_something_is_no_link(owner, where):
    assert pages(owner).get(where.format(1)).status_code == 405


def test_one_is_started_from_the_list_and_cancelled_on_its_page(tuned, course, owner):
    browser = pages(owner)
    assert f"/models/{tuned.pk}/evaluate/" in shown(owner, f"/courses/{course.pk}/evaluations/")
    where = browser.post(f"/models/{tuned.pk}/evaluate/")["Location"]
    evaluation = Evaluation.objects.get()
    assert where == address(evaluation)
    page = browser.post(f"{where}cancel/", follow=True).content.decode()
    assert "The evaluation is cancelled." in page and "cancel/" not in page
    assert browser.post(f"{where}cancel/").status_code == 409


def test_a_version_without_test_examples_is_told_on_a_page(dataset, owner):
    version = factories.make_version(dataset=dataset, test=0, validation=0)
    tuned = factories.make_tuned_model(version=version, by=owner)
    answer = pages(owner).post(f"/models/{tuned.pk}/evaluate/")
    assert answer.status_code == 400
    assert "Freeze one with a test share." in answer.content.decode()


def test_who_may_only_look_is_offered_no_button(evaluation, ended, course, reviewer, editor):
    offered = shown(editor, f"/courses/{course.pk}/evaluations/")
    assert "/evaluate/" in offered
    assert "/evaluate/" not in shown(reviewer, f"/courses/{course.pk}/evaluations/")
    assert "/assistant/" not in shown(editor, address(ended))


def test_a_running_one_asks_for_its_live_part_until_it_has_ended(evaluation, owner):
    page = shown(owner, address(evaluation))
    assert f'hx-get="{address(evaluation)}"' in page and "<progress" in page
    live = shown(owner, address(evaluation), headers=HTMX)
    assert "<html" not in live and "<progress" in live


def test_the_live_part_of_an_ended_one_stops_the_asking(ended, owner):
    answer = pages(owner).get(address(ended), headers=HTMX)
    live = answer.content.decode()
    assert answer.status_code == 286
    assert "<html" not in live and "<progress" not in live and "Tuning helped" in live
    assert "hx-get" not in shown(owner, address(ended))


def test_the_page_tells_the_verdicts_and_the_answers_side_by_side(ended, owner, version):
    page = shown(owner, address(ended))
    chrf = ended.verdicts.get(metric="chrf")
    for number in (chrf.base, chrf.tuned, chrf.low, chrf.high):
        assert f"{number:.1f}" in page
    assert "tuning helped" in page and "Nobody knows." in page
    assert "/assistant/" in page


def test_what_the_model_says_is_only_words(evaluation, there, owner):
    there.reply = lambda model, messages: EVIL
    advance(evaluation)
    page = shown(owner, address(evaluation))
    assert EVIL not in page and "&lt;script&gt;alert(1)" in page


def test_nothing_of_another_course_is_on_a_page(ended, course, owner, stranger, provider):
    other = factories.make_dataset(course=factories.make_course(owner=stranger), title="Otters", by=stranger)
    version = factories.make_version(dataset=other, examples=14, validation=0, test=0.2, by=stranger)
    model = factories.make_model(provider=provider, name="otter", train="0", answer="0")
    hidden = Evaluation.objects.start(
        factories.make_tuned_model(version=version, model=model, name="ft:otter", by=stranger), by=stranger
    )
    for where in (f"/courses/{course.pk}/evaluations/", address(ended)):
        page = shown(owner, where)
        assert "otter" not in page.lower() and "drawer number" not in page
        assert address(hidden) not in page
    assert "Otters" in shown(stranger, address(hidden))


def queries(person, where):
    browser = pages(person)
    with CaptureQueriesContext(connection) as found:
        assert browser.get(where).status_code == 200
    return len(found)


def test_queries_do_not_grow_with_the_examples(dataset, owner, provider, there):
    version = factories.make_version(dataset=dataset, test=0.3)
    model = factories.make_model(provider=provider, train="0", answer="0")
    counts = []
    for name, most in [("ft:a", 1), ("ft:b", 50)]:
        tuned = factories.make_tuned_model(
            job=factories.make_job(version=version, model=model, by=owner), name=name
        )
        evaluation = Evaluation.objects.start(tuned, most=most)
        advance(evaluation)
        counts.append(queries(owner, address(evaluation)))
    assert counts[0] == counts[1] <= 21


def test_queries_of_the_list_do_not_grow_with_the_evaluations(ended, tuned, course, owner):
    where = f"/courses/{course.pk}/evaluations/"
    before = queries(owner, where)
    for _turn in range(4):
        advance(Evaluation.objects.start(tuned))
    assert queries(owner, where) == before


def test_a_page_that_only_shows_takes_no_post(evaluation, course, owner):
    for where in (address(evaluation), f"/courses/{course.pk}/evaluations/"):
        assert pages(owner).post(where).status_code == 405
        assert pages(owner).head(where).status_code == 200
