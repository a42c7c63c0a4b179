"""The same version trained at two providers: whether the new model is as good as the old, on both doors."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluation.answering import advance
from evaluation.models import Answer, Evaluation
from evaluation.parity import compared, pairs
from evaluation.scoring import interval
from finetuning.models import Metric, TunedModel
from tests import factories
from tests.doors import api, pages

HTMX = {"HX-Request": "true"}


@pytest.fixture
def version(dataset, owner):
    return factories.make_version(dataset=dataset, by=owner, test=0.3)


def train(version, there, name, seed=1, **fields):
    """A tuned model at a provider of its own."""
    provider = factories.make_provider(base_url=there.base_url, **fields)
    model = factories.make_model(provider=provider, name=f"base of {name}", train="0", answer="0")
    return factories.make_tuned_model(
        job=factories.make_job(version=version, model=model, seed=seed), name=name
    )


@pytest.fixture
def old(version, there):
    return train(version, there, "ft:old")


@pytest.fixture
def new(version, there):
    return train(version, there, "ft:new")


@pytest.fixture
def answers(version):
    return {each.question: each.answer for each in version.examples.all()}


def evaluate(*models, most=50):
    for model in models:
        advance(Evaluation.objects.start(model, most=most))


def say(there, answers, **by_name):
    """What each model answers: its function of the right answer; others know nothing."""
    told = {f"ft:{name}": function for name, function in by_name.items()}
    there.reply = lambda model, messages: (
        told[model](answers[messages[-1]["content"]]) if model in told else "Nobody knows."
    )


def right(answer):
    return answer


def half(answer):
    return answer[: len(answer) // 2]


@pytest.fixture
def both(old, new, there, answers):
    say(there, answers, old=half, new=right)
    evaluate(old, new)
    return old, new


def page(course, old, new):
    return f"/courses/{course.pk}/parity/?a={old.pk}&b={new.pk}"


def told(person, where):
    answer = pages(person).get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_difference_is_that_of_the_examples_both_have_answered(both, course, owner):
    report = compared(course, owner, *(each.pk for each in both))
    assert len(report.samples) == Answer.objects.filter(arm__side="tuned").count() / 2 >= 2
    for measure in report.measures:
        scores = [
            (each.base.scores[measure.metric], each.tuned.scores[measure.metric])
            for each in sorted(report.samples, key=lambda each: each.base.example.position)
        ]
        gains = [new - old for old, new in scores]
        assert measure.new == 100 and measure.old < 90 and measure.outcome == "better"
        assert measure.difference == pytest.approx(sum(gains) / len(gains))
        assert (measure.low, measure.high) == interval(gains)
    gaps = [abs(each.gain) for each in report.samples]
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize(
    ("old_says", "new_says", "outcome", "words"),
    [(half, right, "better", "The new one is better by"), (right, half, "worse", "The new one is worse by"),
     (half, half, "unclear", "No difference shown")],
)  # fmt: skip
def test_the_verdict_is_in_words(old, new, there, answers, course, owner, old_says, new_says, outcome, words):
    say(there, answers, old=old_says, new=new_says)
    evaluate(old, new)
    assert words in told(owner, page(course, old, new))
    row = api(owner).get(f"/api{page(course, old, new)}").json()
    assert {each["outcome"] for each in row["measures"]} == {outcome}


def test_only_examples_that_both_have_answered_count(old, new, there, answers, course, owner):
    say(there, answers, old=half, new=right)
    evaluate(old)
    evaluate(new, most=1)
    report = compared(course, owner, old.pk, new.pk)
    assert len(report.samples) == 1 < len(report.old.answers())


def test_the_last_finished_evaluation_counts(both, there, answers, course, owner):
    old, new = both
    say(there, answers, old=half, new=half)
    evaluate(new)
    Evaluation.objects.start(new)
    report = compared(course, owner, old.pk, new.pk)
    assert report.main.difference == 0 and report.new.running


def test_losses_stand_beside_where_they_are_known(both, course, owner):
    old, new = both
    where = page(course, old, new)
    assert "Validation loss" not in told(owner, where)
    for model, loss in [(old, 1.25), (new, 1.125)]:
        Metric.objects.create(job=model.job, step=8, name="full_valid_loss", value=loss)
    assert "1.250" in told(owner, where) and "1.125" in told(owner, where)
    row = api(owner).get(f"/api{where}").json()
    assert (row["a"]["held_out"]["tuned_loss"], row["b"]["held_out"]["tuned_loss"]) == (1.25, 1.125)


def test_what_is_missing_is_started_by_one_button_and_told_while_it_runs(
    old, new, there, answers, course, owner
):
    say(there, answers, old=half, new=right)
    browser, where = pages(owner), page(course, old, new)
    assert "Evaluate both" in browser.get(where).content.decode()
    evaluate(old)
    assert "Evaluate the one that is missing" in browser.get(where).content.decode()
    for _twice in range(2):
        assert browser.post(where)["Location"] == where
    running = Evaluation.objects.get(state="running")
    assert running.by == owner and running.arms.get(side="tuned").deployment.tuned_model == new
    live = browser.get(where).content.decode()
    assert "The answers are coming in" in live and "hx-get" in live
    assert browser.get(where, headers=HTMX).status_code == 200
    advance(running)
    ended = browser.get(where, headers=HTMX)
    assert ended.status_code == 286 and "<html" not in ended.content.decode()
    assert "better by" in ended.content.decode()


def test_a_model_that_is_deployed_nowhere_is_named(old, new, course, owner):
    new.deployments.update(state="ended")
    answer = pages(owner).post(page(course, old, new))
    assert answer.status_code == 400 and "ft:new" in answer.content.decode()


def test_who_may_what(old, new, course, owner, editor, reviewer, student, stranger, staff):
    where = page(course, old, new)
    for person, see, start in [
        (owner, 200, True), (editor, 200, True), (staff, 200, True), (reviewer, 200, False), (student, 403, False),
        (stranger, 404, False),
    ]:  # fmt: skip
        for door, prefix, done in [(pages, "", 302), (api, "/api", 201)]:
            assert door(person).get(prefix + where).status_code == see, person
            assert door(person).post(prefix + where).status_code == (done if start else max(see, 403)), person
    assert "Evaluate" not in told(reviewer, where).split("<main")[1].split("live")[0]
    assert pages().get(where)["Location"].startswith("/sign-in/")
    assert api().get(f"/api{where}").status_code == 401


def test_a_reviewer_is_offered_no_button(old, new, course, reviewer):
    shown = told(reviewer, page(course, old, new))
    assert "<button>Evaluate" not in shown and "Editors and owners may start that." in shown


def test_two_models_must_be_of_this_course_and_of_one_version(both, there, dataset, course, owner, stranger):
    old, new = both
    other_version = train(factories.make_version(dataset=dataset, by=owner, seed=5), there, "ft:later")
    elsewhere = factories.make_course(owner=owner, title="Other")
    foreign = factories.make_version(
        dataset=factories.make_dataset(course=elsewhere, by=owner), examples=14, validation=0, test=0.2
    )
    foreign = train(foreign, there, "ft:foreign")
    for a, b in [(old, other_version), (old, foreign), (foreign, foreign), (old, old)]:
        assert pages(owner).get(page(course, a, b)).status_code == 404
        assert api(owner).get(f"/api{page(course, a, b)}").status_code == 404
    assert pages(owner).get(page(elsewhere, old, new)).status_code == 404


@pytest.mark.parametrize(
    "query", ["", "?a=1", "?a=x&b=y", "?a=-1&b=2", "?a=1&b=", f"?a=1&b={10**40}", "?a=1&b=²"]
)
def test_an_address_that_names_no_models_is_refused(both, course, owner, query):
    assert pages(owner).get(f"/courses/{course.pk}/parity/{query}").status_code == 404
    assert api(owner).get(f"/api/courses/{course.pk}/parity/{query}").status_code == 400


def test_what_a_model_says_is_only_words(old, new, there, course, owner):
    there.reply = lambda model, messages: "<script>alert(1)</script>"
    evaluate(old, new)
    assert "<script>alert" not in told(owner, page(course, old, new))


def test_the_api_tells_both_sides(both, course, owner):
    old, new = both
    row = api(owner).get(f"/api{page(course, old, new)}").json()
    assert [row[side]["name"] for side in "ab"] == ["ft:old", "ft:new"]
    assert row["a"]["evaluation"] and row["a"]["running"] is None
    assert row["examples"] == len(compared(course, owner, old.pk, new.pk).samples)
    assert row["samples"][0]["gain"] > 0 and row["samples"][0]["b"] == row["samples"][0]["reference"]


def queries(person, where):
    browser = pages(person)
    with CaptureQueriesContext(connection) as found:
        assert browser.get(where).status_code == 200
    return len(found)


def test_queries_do_not_grow_with_the_examples(old, new, there, answers, course, owner):
    say(there, answers, old=half, new=right)
    counts = []
    for most in (1, 50):
        evaluate(old, new, most=most)
        counts.append(queries(owner, page(course, old, new)))
    assert counts[0] == counts[1] <= 34


def test_the_list_leads_to_it_where_a_version_was_trained_on_two_bases(old, course, owner, version, there):
    where = f"/courses/{course.pk}/evaluations/"
    assert "/parity/" not in told(owner, where)
    again = factories.make_tuned_model(
        job=factories.make_job(version=version, model=old.job.model, seed=9), name="ft:again"
    )
    assert "/parity/" not in told(owner, where), "the same base twice is no other place"
    new = train(version, there, "ft:new")
    assert pairs(TunedModel.objects.all()) == [(again, new)], "the newest of each base"
    assert f"/courses/{course.pk}/parity/?a={again.pk}&amp;b={new.pk}" in told(owner, where)


def test_queries_of_the_list_do_not_grow_with_the_models(old, course, owner, version, there):
    where = f"/courses/{course.pk}/evaluations/"
    before = queries(owner, where)
    for number in range(4):
        train(version, there, f"ft:{number}", seed=number + 2)
    assert queries(owner, where) == before
