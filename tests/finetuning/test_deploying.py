"""Deployments: put up once, waited for, named by a person where that is the way, paid by the hour, taken down."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from common.states import IllegalMove, Refused
from courses.models import Notice
from evaluation import answering
from evaluation.models import Evaluation
from finetuning import deploying
from finetuning.models import Deployment
from finetuning.tasks import sweep_deployments
from finetuning.tuned import EARLY
from providers.models import Budget, LedgerEntry, Provider
from tests import factories
from tests.common.crowd import at_once
from tests.providers.imitations.azure import Azure
from tests.providers.imitations.faults import FAULTS
from tests.providers.imitations.nebius import Nebius

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def trained(there, kind, version, editor, name="", hosting=None):
    model = factories.make_model(
        provider=factories.make_provider(base_url=there.base_url, kind=kind), train="0", answer="0"
    )
    if hosting:
        model.prices.create(what="hosting", amount=hosting, valid_from="2026-01-01", source="a test")
    return factories.make_tuned_model(
        job=factories.make_job(version=version, model=model, by=editor), name=name
    )


@pytest.fixture
def nebius():
    with Nebius() as there:
        there.add_checkpoint(there.add_job()["id"], 1)
        yield there


@pytest.fixture
def tuned(nebius, version, editor):
    ((checkpoint,),) = nebius.checkpoints.values()
    return trained(nebius, "nebius", version, editor, name=checkpoint["id"])


@pytest.fixture
def paid(nebius, version, course, editor):
    factories.make_budget(course=course, limit="100")
    ((checkpoint,),) = nebius.checkpoints.values()
    return trained(nebius, "nebius", version, editor, name=checkpoint["id"], hosting="2.00")


@pytest.fixture
def azure():
    with Azure() as there:
        yield there


@pytest.fixture
def named(azure, version, editor):
    return trained(azure, "azure", version, editor, name="tiny.ft-1")


def turn(deployment, times=1):
    for _turn in range(times):
        Deployment.objects.filter(pk=deployment.pk).exclude(next_poll_at=None).update(
            next_poll_at=timezone.now(), lease_until=None
        )
        deploying.sweep()
    deployment.refresh_from_db()
    return deployment


def back_date(deployment, ago, *fields):
    """As if so much time had passed since."""
    row = Deployment.objects.get(pk=deployment.pk)
    Deployment.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - ago for name in fields})
    deployment.refresh_from_db()


def up(tuned, editor):
    deployment = turn(Deployment.objects.start(tuned, by=editor), times=3)
    assert deployment.state == "ready"
    return deployment


def test_a_model_that_can_be_called_by_its_name_is_ready_at_once(version, provider, editor):
    tuned = factories.make_tuned_model(
        version=version, model=factories.make_model(provider=provider, train="0"), by=editor
    )
    assert (tuned.deployment.name, tuned.deployment.next_poll_at) == (tuned.name, None)
    assert [move.state for move in tuned.deployment.moves.all()] == ["requested", "ready"]


def test_it_is_put_up_waited_for_and_answers(tuned, nebius, editor):
    assert tuned.deployment is None
    deployment = Deployment.objects.start(tuned, by=editor)
    assert Deployment.objects.start(tuned, by=editor) == deployment
    assert turn(deployment).state == "waiting"
    (asked,) = nebius.asked("POST /v0/models")
    assert b'"base_model"' in asked["body"] and deployment.name.encode() in asked["body"]
    assert turn(deployment).state == "waiting"
    assert turn(deployment).state == "ready"
    assert tuned.deployment == deployment and list(nebius.served) == [deployment.name]
    assert [move.state for move in deployment.moves.all()] == ["requested", "waiting", "ready"]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_the_call_one_is_put_up_or_none(tuned, nebius, editor, fault):
    nebius.when("POST /v0/models", **FAULTS[fault])
    deployment = turn(Deployment.objects.start(tuned, by=editor), times=6)
    refused = fault in ("400", "403 closed")
    assert deployment.state == ("failed" if refused else "ready")
    assert len(nebius.served) == (0 if refused else 1)


def test_a_model_that_the_provider_rejects_is_taken_away_and_told(tuned, nebius, editor):
    nebius.validates_for = 99
    deployment = turn(Deployment.objects.start(tuned, by=editor))
    nebius.served[deployment.name]["status"] = "ERROR"
    assert turn(deployment).state == "failed"
    assert deployment.problem == "The provider says: error" and not nebius.served
    assert Notice.objects.get(kind="deployment.failed").person == editor


def test_a_provider_that_rests_is_asked_nothing_until_it_is_over(tuned, nebius, editor):
    deployment = Deployment.objects.start(tuned, by=editor)
    here = Provider.objects.filter(pk=deployment.provider_id)
    here.update(rests_until=timezone.now() + HOUR)
    assert turn(deployment).state == "requested" and not nebius.requests
    assert "rests after failures" in deployment.problem
    here.update(rests_until=timezone.now())
    assert turn(deployment, times=3).state == "ready" and not deployment.problem


def test_taking_it_down_deletes_it_there_first(tuned, nebius, editor):
    deployment = up(tuned, editor)
    nebius.when("DELETE /v0/models/*", status=503)
    deployment.remove(by=editor)
    assert tuned.deployment is None
    assert turn(deployment).state == "ending" and deployment.problem
    with pytest.raises(Refused, match="being taken down"):
        Deployment.objects.start(tuned, by=editor)
    assert turn(deployment).state == "ended" and not nebius.served
    with pytest.raises(IllegalMove):
        deployment.remove(by=editor)
    assert Deployment.objects.start(tuned, by=editor) != deployment


def test_taken_down_before_it_was_put_up_nothing_is_put_up(tuned, nebius, editor):
    deployment = Deployment.objects.start(tuned, by=editor)
    deployment.remove(by=editor)
    assert turn(deployment).state == "ended" and not nebius.asked("POST /v0/models")


def test_one_that_is_gone_at_the_provider_ends_here(tuned, nebius, editor):
    deployment = up(tuned, editor)
    nebius.served.clear()
    assert turn(deployment).state == "ended"


def test_a_person_names_it_and_it_is_ready_once_it_answers(named, azure, editor):
    deployment = Deployment.objects.start(named, by=editor)
    assert (deployment.state, deployment.next_poll_at) == ("requested", None)
    deployment.call_it("keper", by=editor)
    assert turn(deployment).state == "waiting"
    assert "does not know “keper” yet" in deployment.problem
    azure.deploy("tiny.ft-1", "keeper")
    deployment.call_it("keeper", by=editor)
    assert turn(deployment).state == "ready" and not deployment.problem
    assert named.deployment.name == "keeper"
    with pytest.raises(IllegalMove):
        deployment.call_it("other", by=editor)
    deployment.remove(by=editor)
    assert deployment.state == "ended"


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "ключ", "x" * 300, "../x y", "<b>"])
def test_a_name_that_is_none_is_refused(named, editor, name):
    with pytest.raises(ValidationError):
        Deployment.objects.start(named, by=editor).call_it(name, by=editor)


def test_the_name_of_another_model_is_refused(named, azure, version, editor):
    other = factories.make_tuned_model(
        job=factories.make_job(version=version, model=named.job.model, seed=9), name="tiny.ft-2"
    )
    Deployment.objects.start(other, name="others", by=editor)
    deployment = Deployment.objects.start(named, by=editor)
    for name in ("others", "tiny.ft-2", named.job.model.name):
        with pytest.raises(Refused, match="another model"):
            deployment.call_it(name, by=editor)


def test_a_name_that_never_answers_fails_after_a_day(named, editor):
    deployment = turn(Deployment.objects.start(named, name="keeper", by=editor))
    back_date(deployment, DAY + HOUR, "made")
    assert turn(deployment).state == "failed"


def test_a_paid_one_needs_room_for_a_day_before_anything_is_asked(paid, nebius, course, editor):
    Budget.objects.update(limit=47)
    with pytest.raises(Refused, match=r"\$48"):
        Deployment.objects.start(paid, by=editor)
    assert not Deployment.objects.exists()
    Budget.objects.update(limit=48)
    deployment = Deployment.objects.start(paid, by=editor)
    assert deployment.ledger.reserved == 48 and deployment.ledger.purpose == "hosting"


def test_hours_begun_are_paid_and_the_rest_is_given_back(paid, editor):
    deployment = up(paid, editor)
    back_date(deployment, HOUR * 2.5, "up_since", "billed_to")
    assert deployment.spent == 6
    deployment.remove(by=editor)
    assert turn(deployment).state == "ended"
    assert LedgerEntry.objects.get(purpose="hosting").settled == 6
    assert Budget.objects.get().held == 6


def test_one_that_never_came_up_costs_nothing(paid, editor):
    deployment = Deployment.objects.start(paid, by=editor)
    deployment.remove(by=editor)
    turn(deployment)
    assert LedgerEntry.objects.get(purpose="hosting").settled == 0 and Budget.objects.get().held == 0


def test_each_day_is_settled_and_the_next_one_held(paid, editor):
    deployment = up(paid, editor)
    back_date(deployment, DAY + HOUR, "up_since", "billed_to")
    assert turn(deployment).state == "ready"
    turn(deployment)
    assert list(LedgerEntry.objects.filter(purpose="hosting").order_by("pk").values_list("settled", "reserved")) == [
        (48, 0), (None, 48),
    ]  # fmt: skip
    deployment.remove(by=editor)
    turn(deployment)
    assert Budget.objects.get().held == 48 + 2 * 2


def test_where_the_month_has_no_room_for_another_day_it_is_taken_down_and_told(paid, nebius, editor, owner):
    deployment = up(paid, editor)
    Budget.objects.update(limit=50)
    back_date(deployment, DAY + HOUR, "up_since", "billed_to")
    assert turn(deployment).state == "ending"
    assert turn(deployment).state == "ended" and not nebius.served
    assert {each.person for each in Notice.objects.filter(kind="deployment.stopped")} == {owner, editor}
    assert Budget.objects.get().held == 48


def test_a_paid_one_that_nobody_asks_is_told_once(paid, editor, owner):
    deployment = up(paid, editor)
    back_date(deployment, DAY * 8, "up_since")
    turn(deployment, times=3)
    told = Notice.objects.filter(kind="deployment.idle")
    assert {each.person for each in told} == {owner, editor} and told.count() == 2
    deployment.note_use()
    deployment.refresh_from_db()
    turn(deployment)
    assert told.count() == 2 and deployment.last_used


@pytest.fixture
def slow(azure, version, editor):
    """Its base model answers, and the name of the tuned one is not known yet."""
    azure.deploy("tiny", "tiny")
    return trained(azure, "compatible", version, editor, name="ft:tiny:1")


def evaluated(tuned, editor):
    evaluation = Evaluation.objects.start(tuned, by=editor)
    Evaluation.objects.update(next_poll_at=timezone.now())
    answering.sweep()
    evaluation.refresh_from_db()
    return evaluation


def test_a_name_that_is_not_known_yet_is_waited_for_in_its_first_minutes(slow, azure, editor):
    evaluation = evaluated(slow, editor)
    assert evaluation.state == "running" and "does not know the new model yet" in evaluation.problem
    azure.deploy("ft:tiny:1", "ft:tiny:1")
    assert evaluated(slow, editor).state == "done"


def test_a_name_that_is_not_known_later_is_an_error(slow, editor):
    back_date(slow.deployment, EARLY, "made")
    assert evaluated(slow, editor).state == "failed"


def test_last_days_follow_the_base_model_and_the_ended_is_taken_down(version, provider, editor):
    model = factories.make_model(provider=provider, train="0", serve_until=date(2027, 1, 14))
    tuned = factories.make_tuned_model(version=version, model=model, by=editor)
    model.serve_until = date(2027, 6, 30)
    model.save()
    deploying.keep_days()
    assert str(tuned.deployment.ends) == "2027-06-30"
    model.serve_until = timezone.localdate() - DAY
    model.save()
    deploying.keep_days()
    assert tuned.deployment is None and tuned.deployments.get().state == "ended"


def test_an_assistant_goes_on_with_what_takes_its_deployments_place(tuned, nebius, editor, owner):
    first = up(tuned, editor)
    assistant = factories.make_assistant(tuned_model=tuned, by=owner)
    first.remove(by=editor)
    turn(first)
    assistant.refresh_from_db()
    assert assistant.deployment.in_use is None
    second = up(tuned, editor)
    assert assistant.deployment.in_use == second


def test_a_crash_stays_with_its_deployment(tuned, paid, nebius, editor):
    broken = Deployment.objects.start(tuned, by=editor)
    Deployment.objects.filter(pk=broken.pk).update(hourly=Decimal(1), state="ready", name="x", billed_to=None)
    nebius.served["x"] = {"name": "x", "status": "active", "looks": 9}
    Deployment.objects.filter(pk=broken.pk).update(
        next_poll_at=timezone.now() - HOUR, ledger=None, up_since=None
    )
    fine = Deployment.objects.start(paid, by=editor)
    sweep_deployments()
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert "An error on our side" in broken.problem and broken.attempts == 1 and broken.lease_until is None
    assert fine.state == "waiting"


@pytest.mark.django_db(transaction=True)
def test_of_many_starts_at_once_one_deployment_comes(tuned):
    found = at_once(4, lambda: Deployment.objects.start(tuned).pk)
    assert len(set(found)) == Deployment.objects.count() == 1
