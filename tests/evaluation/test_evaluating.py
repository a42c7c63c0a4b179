"""Starting an evaluation: on which examples, for what money, and once at a time."""

from decimal import Decimal

import pytest

from accounts.models import AuditEntry
from common.states import IllegalMove, Refused
from evaluation.answering import advance
from evaluation.models import Evaluation
from finetuning.models import Deployment
from providers.models import LedgerEntry
from tests import factories
from tests.common.crowd import at_once


def tuned_on(dataset, by, **shares):
    return factories.make_tuned_model(version=factories.make_version(dataset=dataset, **shares), by=by)


def splits(evaluation):
    return {answer.example.split for arm in evaluation.arms.all() for answer in arm.answers.all()}


def test_both_sides_are_asked_every_test_example(tuned, owner):
    evaluation = Evaluation.objects.start(tuned, by=owner)
    wanted = tuned.job.version.examples.filter(split="test").count()
    base, other = evaluation.arms.all()
    assert (evaluation.split, splits(evaluation)) == ("test", {"test"})
    assert wanted > 0 and [base.answers.count(), other.answers.count()] == [wanted, wanted]
    assert [(base.side, base.name), (other.side, other.name)] == [
        ("base", "tiny"),
        ("tuned", "ft:tiny:course"),
    ]
    assert (evaluation.state, evaluation.progress) == ("running", 0)
    assert [move.state for move in evaluation.moves.all()] == ["running"]


def test_without_a_test_set_the_validation_set_takes_its_place(dataset, owner):
    evaluation = Evaluation.objects.start(tuned_on(dataset, owner, validation=0.2, test=0))
    assert (evaluation.split, splits(evaluation)) == ("validation", {"validation"})


def test_without_either_it_is_refused_and_nothing_is_left(dataset, owner):
    with pytest.raises(Refused, match="Freeze one with a test share"):
        Evaluation.objects.start(tuned_on(dataset, owner, validation=0, test=0))
    assert not Evaluation.objects.exists()
    assert not LedgerEntry.objects.filter(purpose="evaluation").exists()


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_no_more_examples_are_taken_than_asked_for(dataset, owner, most):
    evaluation = Evaluation.objects.start(tuned_on(dataset, owner, test=0.3), most=most)
    assert 1 <= evaluation.arms.get(side="base").answers.count() <= most


def test_examples_are_taken_from_the_whole_of_the_set(dataset, owner):
    tuned = tuned_on(dataset, owner, test=0.3)
    places = list(tuned.job.version.examples.filter(split="test").values_list("position", flat=True))
    evaluation = Evaluation.objects.start(tuned, most=2)
    taken = list(evaluation.arms.get(side="base").answers.values_list("example__position", flat=True))
    assert taken[0] == min(places) and taken[-1] >= places[len(places) // 2 - 1]


def test_a_second_start_while_one_runs_is_that_one(tuned, owner, editor):
    first = Evaluation.objects.start(tuned, by=owner)
    assert Evaluation.objects.start(tuned, by=editor) == first
    assert LedgerEntry.objects.filter(purpose="evaluation").count() == 1
    first.cancel(by=owner)
    assert Evaluation.objects.start(tuned, by=owner) != first


@pytest.mark.django_db(transaction=True)
def test_of_many_starts_at_once_one_evaluation_comes(tuned):
    found = at_once(4, lambda: Evaluation.objects.start(tuned).pk)
    assert len(set(found)) == Evaluation.objects.count() == 1


def test_a_model_that_is_deployed_nowhere_is_refused(tuned):
    tuned.deployments.update(state=Deployment.State.ENDED)
    with pytest.raises(Refused, match="deployed nowhere"):
        Evaluation.objects.start(tuned)


@pytest.fixture
def priced(version, provider, owner):
    model = factories.make_model(provider=provider, train="0", answer="1000")
    return factories.make_tuned_model(version=version, model=model, by=owner)


def test_a_priced_model_without_a_budget_is_refused(priced):
    with pytest.raises(Refused, match="An owner or staff can raise the budget"):
        Evaluation.objects.start(priced)
    assert not Evaluation.objects.exists()


def test_money_is_held_until_the_end_and_then_what_was_billed_stays(priced, version, owner):
    budget = factories.make_budget(course=version.dataset.course, limit="100")
    evaluation = Evaluation.objects.start(priced, by=owner)
    budget.refresh_from_db()
    assert budget.held == evaluation.ledger.reserved > 0
    advance(evaluation)
    entry = LedgerEntry.objects.get(evaluation=evaluation)
    answers = 2 * evaluation.arms.get(side="base").answers.count()
    budget.refresh_from_db()
    assert entry.tokens == 18 * answers  # eleven asked and seven told, as the imitation bills
    assert budget.held == entry.settled == Decimal(entry.tokens) / 1000
    assert entry.reserved == 0


def test_a_cancelled_evaluation_gives_back_what_it_held(priced, version, owner):
    budget = factories.make_budget(course=version.dataset.course, limit="100")
    Evaluation.objects.start(priced, by=owner).cancel(by=owner)
    budget.refresh_from_db()
    assert budget.held == 0


def test_what_has_ended_cannot_be_cancelled(tuned, owner):
    evaluation = Evaluation.objects.start(tuned, by=owner)
    evaluation.cancel(by=owner)
    with pytest.raises(IllegalMove):
        evaluation.cancel(by=owner)
    assert AuditEntry.objects.filter(action="evaluation.cancel").count() == 1
