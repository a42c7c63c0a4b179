"""Models that providers shut down: their last day in words, who is told when, and where to train the version next."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from common.days import far_off
from courses.notices import Kind, Notice
from finetuning.models import Deployment
from finetuning.retiring import elsewhere, end_of, settings_of, stage, watch
from providers.models import Provider
from tests import factories

TODAY = date(2026, 11, 25)


def days(number):
    return TODAY + timedelta(days=number)


@pytest.fixture
def model(provider):
    return factories.make_model(provider=provider, name="gpt-old", train="0", answer="0")


@pytest.fixture
def tuned(version, model):
    return factories.make_tuned_model(version=version, model=model, name="ft:old")


def end(row, day, field="serve_until"):
    type(row).objects.filter(pk=row.pk).update(**{field: day})


def told(kind=Kind.MODEL_ENDS):
    return list(Notice.objects.filter(kind=kind).order_by("pk").values_list("person__email", "key"))


def shown(tag, row):
    return Template("{% load ending %}{% " + tag + " row today=today %}").render(
        Context({"row": row, "today": TODAY})
    )


@pytest.mark.parametrize(
    ("left", "colour", "words"),
    [(400, "calm", "in 400 days"), (61, "calm", "in 61 days"), (60, "soon", "in 60 days"), (15, "soon", "in 15 days"),
     (14, "late", "in 14 days"), (1, "late", "in 1 day"), (0, "late", "today"), (-1, "late", "1 day ago")],
)  # fmt: skip
def test_a_last_day_is_told_in_words_and_in_the_colour_of_its_urgency(model, left, colour, words):
    model.serve_until = days(left)
    verb = "shuts down" if left >= 0 else "has been shut down"
    assert shown("ends", model) == f'<span class="state {colour}">{verb} on {days(left)}, {words}</span>'


def test_where_no_day_is_known_nothing_is_said(model, tuned):
    assert shown("ends", model) == shown("ends", tuned) == shown("tuning_closes", model) == ""


def test_the_end_of_tuning_is_told_as_such(model):
    model.train_until = days(20)
    assert "tuning closes on 2026-12-15, in 20 days" in shown("tuning_closes", model)
    model.train_until = days(-2)
    assert "tuning closed on 2026-11-23, 2 days ago" in shown("tuning_closes", model)


@pytest.mark.parametrize(
    ("left", "wanted"), [(1, "через 1 день"), (22, "через 22 дня"), (50, "через 50 дней")]
)
def test_days_are_counted_in_good_russian(left, wanted):
    with translation.override("ru"):
        assert far_off(days(left), TODAY) == wanted


@pytest.mark.parametrize(
    ("deployed", "base", "wanted"),
    [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 5), (7, 5, 5)],
)
def test_a_tuned_model_ends_with_its_deployment_or_with_its_base_whichever_is_earlier(
    tuned, model, deployed, base, wanted
):
    end(tuned.deployment, deployed and days(deployed), "ends")
    end(model, base and days(base))
    tuned = type(tuned).objects.get(pk=tuned.pk)
    assert end_of(tuned) == end_of(tuned.deployment) == (wanted and days(wanted))


@pytest.mark.parametrize(
    ("left", "wanted"),
    [(61, None), (60, 60), (15, 60), (14, 14), (3, 14), (2, 2), (0, 2), (-1, None)],
)
def test_a_day_comes_to_three_stages(left, wanted):
    assert stage(days(left), TODAY) == wanted


def test_owners_are_told_once_at_each_stage_whatever_day_the_watch_missed(tuned, model, owner):
    end(model, days(70))
    counts = []
    for day in (0, 9, 11, 12, 40, 57, 58, 60, 69, 70, 71, 200):
        watch(days(day))
        watch(days(day))
        counts.append(Notice.objects.count())
    assert counts == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert [key.rpartition(":")[2] for _email, key in told()] == ["60", "14", "2"]
    assert {email for email, _key in told()} == {owner.email}


def test_every_owner_is_told_and_one_who_comes_later_as_well(tuned, model, course, owner, editor, reviewer):
    end(model, days(60))
    watch(TODAY)
    course.set_role(editor, "owner", by=owner)
    watch(days(1))
    assert [email for email, _key in told()] == [owner.email, editor.email]


def test_a_day_that_is_moved_is_told_anew(tuned, model):
    end(model, days(60))
    watch(TODAY)
    end(model, days(50))
    watch(TODAY)
    assert [key for _email, key in told()] == [f"{tuned.pk}:{days(60)}:60", f"{tuned.pk}:{days(50)}:60"]


def test_a_model_that_is_no_longer_in_use_is_told_of_by_its_base(tuned, model, owner):
    end(model, days(60))
    Deployment.objects.update(state=Deployment.State.ENDED)
    watch(TODAY)
    assert not told() and told(Kind.BASE_ENDS) == [(owner.email, f"{model.pk}:{days(60)}:60")]


def test_one_end_is_told_in_one_notice(tuned, model):
    end(model, days(60))
    watch(TODAY)
    assert Notice.objects.count() == 1


def test_the_end_of_tuning_is_told_where_something_was_tuned(tuned, model, owner):
    end(model, days(14), "train_until")
    factories.make_model(provider=model.provider, name="unused", train_until=days(14))
    watch(TODAY)
    assert told(Kind.BASE_CLOSES) == [(owner.email, f"{model.pk}:{days(14)}:14")]
    assert Notice.objects.count() == 1


def test_a_notice_leads_to_the_form_of_the_same_version(tuned, model, version):
    end(model, days(60))
    watch(TODAY)
    assert Notice.objects.get().elsewhere == f"/versions/{version.pk}/train/?elsewhere={tuned.job_id}"


def test_the_watch_asks_as_much_for_many_models_as_for_one(tuned, model, version):
    end(model, days(60))

    def queries(day):
        with CaptureQueriesContext(connection) as found:
            watch(days(day))
        return len(found)

    before = queries(0)
    for number in range(5):
        factories.make_tuned_model(
            job=factories.make_job(version=version, model=model, seed=number), name=f"ft:{number}"
        )
    assert queries(1) == before <= 8
    assert Notice.objects.count() == 6


@pytest.fixture
def others(provider):
    """A provider beside, with base models that none of them will do."""
    Provider.objects.exclude(pk=provider.pk).update(is_active=False)
    nowhere = factories.make_provider(name="switched off", is_active=False)
    there = factories.make_provider(name="elsewhere", base_url=provider.base_url)
    factories.make_model(provider=nowhere, name="off")
    factories.make_model(provider=there, name="short", example_tokens=1)
    factories.make_model(provider=there, name="unpriced", train=None)
    factories.make_model(provider=there, name="closed", train_until=date(2020, 1, 1))
    return there


def test_elsewhere_is_another_provider_that_can_take_the_version_now(tuned, model, others):
    factories.make_model(provider=model.provider, name="beside")
    assert elsewhere(tuned.job) is None
    fitting = factories.make_model(provider=others, name="fitting")
    assert elsewhere(tuned.job) == fitting
    others.rests_until = timezone.now() + timedelta(hours=1)
    others.save()
    assert elsewhere(tuned.job) is None


def test_of_several_elsewhere_it_is_the_one_that_is_most_like_the_old(tuned, model, others):
    end(model, days(60))
    job = type(tuned.job).objects.get(pk=tuned.job_id)
    for fields in (
        {"serve_until": days(50)},
        {"languages": "ru"},
        {"train": "9"},
        {"train": "1"},
        {"name": "gpt-old", "train": "25"},
    ):
        better = factories.make_model(provider=others, **{"name": str(fields), **fields})
        assert elsewhere(job) == better


def test_the_settings_of_the_old_job_come_with_it(version, model, others):
    fitting = factories.make_model(provider=others, name="fitting")
    job = factories.make_job(version=version, model=model, seed=7, n_epochs=3)
    assert settings_of(job) == {
        "n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto", "seed": 7, "suffix": "", "method": "supervised",
        "model": fitting.pk,
    }  # fmt: skip
