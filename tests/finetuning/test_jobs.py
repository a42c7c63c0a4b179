"""Starting a job: what is asked for is checked, the money is held, and the same request is the same job."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import AuditEntry
from common.states import Refused
from finetuning import hyperparameters
from finetuning.models import Job
from finetuning.states import FINAL, LIVE, MOVES, JobState
from providers.models import Budget, LedgerEntry, Provider
from tests import factories
from tests.common.crowd import at_once


def test_a_job_waits_for_the_sweep_with_its_money_held(job, version, editor, budget):
    assert (job.state, job.by, job.sendings, job.remote_id) == ("intended", editor, 0, "")
    assert job.next_poll_at <= timezone.now()
    tokens, money = job.estimated()
    count = version.statistics["train"]
    assert tokens == count["tokens"] * (100 // count["examples"])
    assert money == tokens * 3 / 1_000_000 or float(money) == pytest.approx(tokens * 3e-6)
    budget.refresh_from_db()
    assert budget.held == job.ledger.reserved == money
    assert [(move.state, move.by) for move in job.moves.all()] == [("intended", editor)]
    assert AuditEntry.objects.get(action="job.start").actor == editor


def test_the_same_request_while_one_lives_is_that_job(job, version, model, editor):
    assert factories.make_job(version=version, model=model, by=editor) == job
    assert factories.make_job(version=version, model=model, n_epochs="auto") == job
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize("other", [{"seed": 1}, {"n_epochs": 2}, {"batch_size": "8"}])
def test_another_request_is_another_job(job, version, model, other):
    assert factories.make_job(version=version, model=model, **other) != job


def test_the_same_request_after_the_end_is_a_new_job(job, version, model):
    job.cancel()
    assert factories.make_job(version=version, model=model) != job


@pytest.mark.django_db(transaction=True)
def test_eight_clicks_at_once_are_one_job():
    dataset = factories.make_dataset()
    version, model = factories.make_version(dataset=dataset, examples=12), factories.make_model()
    factories.make_budget(course=dataset.course)
    jobs = at_once(8, lambda: factories.make_job(version=version, model=model).pk)
    assert len(set(jobs)) == Job.objects.count() == LedgerEntry.objects.count() == 1


def test_without_the_money_there_is_no_job(version, model):
    with pytest.raises(Refused, match="over what this course may still spend"):
        factories.make_job(version=version, model=model)
    assert not Job.objects.exists() and not LedgerEntry.objects.exists()


def test_what_is_free_needs_no_budget(version):
    assert factories.make_job(version=version).ledger.estimate == 0


def test_a_model_that_closed_or_has_no_price_is_refused(version, budget):
    with pytest.raises(Refused, match="cannot be tuned any more"):
        factories.make_job(version=version, model=factories.make_model(train_until="2020-01-01"))
    with pytest.raises(Refused, match="price of tiny"):
        factories.make_job(version=version, model=factories.make_model(train=None))


def test_examples_that_are_too_long_are_refused_with_their_count(version, budget):
    lengths = version.examples.filter(split="train").values_list("tokens", flat=True)
    limit = sorted(lengths)[-3] - 1
    with pytest.raises(Refused, match=rf"3 examples are longer than the {limit} tokens that tiny takes"):
        factories.make_job(version=version, model=factories.make_model(example_tokens=limit))


@pytest.mark.parametrize(
    "values",
    [
        {"n_epochs": 0}, {"n_epochs": 51}, {"n_epochs": "2.5"}, {"n_epochs": "many"}, {"n_epochs": []}, {"n_epochs": -1},
        {"batch_size": 257}, {"batch_size": "1e2"}, {"learning_rate_multiplier": 0}, {"n_epochs": "9" * 5000},
        {"learning_rate_multiplier": "nan"}, {"learning_rate_multiplier": "inf"}, {"learning_rate_multiplier": -1},
    ],
)  # fmt: skip
def test_a_hyperparameter_out_of_bounds_is_refused_by_name(values):
    with pytest.raises(ValidationError) as refusal:
        hyperparameters.check(values, Provider(kind="compatible"))
    assert list(refusal.value.message_dict) == list(values)


def test_hyperparameters_are_numbers_or_auto():
    provider = Provider(kind="compatible")
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    assert hyperparameters.check({}, provider) == auto
    told = hyperparameters.check(
        {"n_epochs": "3", "batch_size": "", "learning_rate_multiplier": "0.5", "lora_r": "auto"}, provider
    )
    assert told == {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5}
    with pytest.raises(ValidationError, match="no hyperparameter “other”"):
        hyperparameters.check({"other": 1}, provider)


def test_what_may_be_set_follows_from_what_the_provider_takes():
    there = Provider(kind="nebius")
    told = hyperparameters.check({"learning_rate": "1e-4", "lora_r": 16, "batch_size": 32}, there)
    assert told["learning_rate"] == 1e-4 and told["lora_r"] == 16 and told["lora_dropout"] == "auto"
    with pytest.raises(ValidationError) as refusal:
        hyperparameters.check({"learning_rate_multiplier": 2, "batch_size": 33, "beta": 1}, there)
    assert set(refusal.value.message_dict) == {"learning_rate_multiplier", "batch_size", "beta"}


@pytest.mark.parametrize("suffix", ["a b", "курс", "a/b", "a\r\nb", "x" * 41, "a.b"])
def test_a_suffix_that_a_provider_would_not_take_is_refused(version, suffix):
    with pytest.raises(ValidationError):
        Job.objects.start(version, factories.make_model(train="0"), suffix=suffix)


def test_every_state_is_live_or_final_and_only_final_ones_have_no_way_on():
    assert set(LIVE) | set(FINAL) == set(JobState) == set(MOVES)
    assert {state for state, targets in MOVES.items() if not targets} == set(FINAL)


def test_a_job_that_is_cancelled_before_it_was_sent_gives_its_money_back(job, editor, budget):
    job.cancel(by=editor)
    assert (job.state, job.next_poll_at) == ("cancelled", None)
    assert job.ended is not None and job.is_final
    assert job.moves.last().by == editor
    assert Budget.objects.get(pk=budget.pk).held == 0
