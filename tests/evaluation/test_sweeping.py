"""The sweep takes an evaluation to its end, whatever the provider does on the way."""

from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from evaluation.answering import advance, sweep
from evaluation.models import Answer, Evaluation
from tests.evaluation.waiting import wait_for

FOR_GOOD = {"status": 404, "error": {"message": "The model `ft:tiny:course` does not exist."}}


def verdicts(evaluation):
    return {verdict.metric: verdict for verdict in evaluation.verdicts.all()}


def make_due(evaluation):
    """As if the pause were over."""
    Evaluation.objects.filter(pk=evaluation.pk).update(next_poll_at=timezone.now())


def test_an_engine_that_is_down_is_told_and_waited_for(on_engine, engine):
    evaluation = Evaluation.objects.start(on_engine)
    engine.stop()
    try:
        sweep()
        evaluation.refresh_from_db()
        assert (evaluation.state, evaluation.attempts) == ("running", 1)
        assert evaluation.problem == "The provider cannot be reached."
        assert evaluation.next_poll_at > timezone.now()
        assert sweep() == 0
    finally:
        engine.start()
    make_due(evaluation)
    assert sweep() == 1
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.problem) == ("done", "")


def test_a_real_engine_answers_to_the_end(on_engine, owner):
    evaluation = Evaluation.objects.start(on_engine, by=owner)
    assert sweep() == 1
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.progress, evaluation.problem) == ("done", 1, "")
    assert evaluation.ended and evaluation.lease_until is None
    for answer in Answer.objects.all():
        assert answer.answered and answer.tokens > 0 and set(answer.scores) == {"chrf", "token_f1"}
    assert evaluation.ledger.settled == 0
    assert evaluation.ledger.tokens == sum(answer.tokens for answer in Answer.objects.all())
    assert sweep() == 0


def test_the_same_model_on_both_sides_shows_no_difference(on_engine):
    evaluation = Evaluation.objects.start(on_engine)
    sweep()
    for verdict in verdicts(evaluation).values():
        assert (verdict.difference, verdict.low, verdict.high, verdict.outcome) == (0, 0, 0, "unclear")


def test_who_learnt_the_answers_wins(tuned, learnt):
    evaluation = Evaluation.objects.start(tuned)
    sweep()
    for verdict in verdicts(evaluation).values():
        assert (verdict.tuned, verdict.outcome) == (100, "better")
        assert verdict.low > 0 and verdict.examples == evaluation.arms.get(side="base").answers.count()


def test_who_forgot_them_loses(tuned, learnt, there):
    knows = there.reply
    there.reply = lambda model, messages: knows("tiny" if model.startswith("ft:") else "ft:", messages)
    evaluation = Evaluation.objects.start(tuned)
    sweep()
    assert {verdict.outcome for verdict in verdicts(evaluation).values()} == {"worse"}


def test_a_model_that_is_not_there_ends_it_with_the_providers_words(tuned, there):
    evaluation = Evaluation.objects.start(tuned)
    there.when("POST /chat/completions", times=99, **FOR_GOOD)
    sweep()
    evaluation.refresh_from_db()
    assert evaluation.state == "failed"
    assert evaluation.problem == "The model `ft:tiny:course` does not exist."
    assert evaluation.moves.last().note == evaluation.problem
    assert evaluation.ledger.settled == 0
    assert sweep() == 0


def test_one_refused_question_does_not_cost_the_answers_beside_it(tuned, there):
    evaluation = Evaluation.objects.start(tuned)
    there.when("POST /chat/completions", status=503)
    sweep()
    evaluation.refresh_from_db()
    asked = len(there.asked("POST /chat/completions"))
    assert evaluation.state == "running" and asked > 1
    assert Answer.objects.exclude(answered=None).count() == asked - 1
    make_due(evaluation)
    sweep()
    evaluation.refresh_from_db()
    assert evaluation.state == "done"
    assert len(there.asked("POST /chat/completions")) == Answer.objects.count() + 1


def test_a_pause_grows_with_each_failure_and_patience_ends(tuned, there):
    there.when("POST /chat/completions", times=99, status=429)
    evaluation = Evaluation.objects.start(tuned)
    pauses = []
    for attempts in (0, 3, 60):
        evaluation.attempts = attempts
        advance(evaluation)
        row = Evaluation.objects.get(pk=evaluation.pk)
        pauses.append(row.next_poll_at and round((row.next_poll_at - timezone.now()).total_seconds()))
    assert pauses == [1, 8, None]
    assert sweep() == 0


def test_what_the_model_says_is_kept_without_nul(tuned, there):
    there.reply = lambda model, messages: "one\x00two"
    Evaluation.objects.start(tuned)
    sweep()
    assert {answer.text for answer in Answer.objects.all()} == {"onetwo"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [{}, FOR_GOOD], ids=["answered", "refused"])
def test_cancelled_in_the_middle_it_stays_cancelled(tuned, owner, there, order):
    there.when("POST /chat/completions", times=99, wait=0.5, **order)
    evaluation = Evaluation.objects.start(tuned, by=owner)
    problems = []
    worker = Thread(target=sweep_alone, args=[problems])
    worker.start()
    wait_for(lambda: there.asked("POST /chat/completions"))
    evaluation.cancel(by=owner)
    worker.join()
    evaluation.refresh_from_db()
    assert problems == []
    assert (evaluation.state, evaluation.next_poll_at, evaluation.lease_until) == ("cancelled", None, None)
    assert [move.state for move in evaluation.moves.all()] == ["running", "cancelled"]
    assert not evaluation.verdicts.exists()
    assert len(there.asked("POST /chat/completions")) <= 4
    assert sweep() == 0


def sweep_alone(problems):
    try:
        sweep()
    except Exception as problem:
        problems.append(problem)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_two_sweeps_one_asks(tuned, there):
    there.when("POST /chat/completions", times=99, wait=0.2)
    Evaluation.objects.start(tuned)
    worker = Thread(target=sweep_alone, args=[[]])
    worker.start()
    wait_for(lambda: there.asked("POST /chat/completions"))
    assert sweep() == 0
    worker.join()
    assert len(there.asked("POST /chat/completions")) == Answer.objects.count()
