"""Which models can be tuned today, and what providers can do."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from providers.capabilities import BASE, KINDS, check_record
from providers.models import Model, Provider
from tests import factories

TODAY = timezone.localdate()


@pytest.mark.parametrize(
    ("fields", "is_there"),
    [
        ({}, True),
        ({"train_until": TODAY}, True),
        ({"train_until": TODAY - timedelta(days=1)}, False),
        ({"trainable": False}, False),
    ],
)
def test_a_model_can_be_tuned_until_its_last_day(db, fields, is_there):
    model = factories.make_model(**fields)
    assert (model in Model.objects.trainable()) == is_there


def test_at_a_provider_that_is_switched_off_nothing_is_tuned(db):
    model = factories.make_model(provider=factories.make_provider(is_active=False))
    assert model not in Model.objects.trainable()
    assert model in Model.objects.open()


@pytest.mark.parametrize(
    ("languages", "speaks"),
    [("", True), ("en", False), ("ru", True), ("en,ru", True), ("en, ru", True), ("eru", False)],
)
def test_a_model_speaks_the_languages_it_names_or_any(languages, speaks):
    assert Model(languages=languages).speaks("ru") == speaks


def test_what_is_not_said_of_a_provider_is_what_its_kind_can():
    plain, other = Provider(), Provider(capabilities={"seed": False, "suffix_length": 20, "pause": True})
    assert (plain.can("seed"), plain.can("suffix_length"), plain.can("pause")) == (True, 40, False)
    assert (other.can("seed"), other.can("suffix_length"), other.can("pause")) == (False, 20, True)
    assert Provider(kind="azure").can("suffix_length") == 18
    assert Provider(kind="azure", capabilities={"suffix_length": 30}).can("suffix_length") == 30


def test_a_capability_that_there_is_not_is_no_answer():
    with pytest.raises(KeyError):
        Provider(capabilities={"fly": True}).can("fly")


@pytest.mark.parametrize(
    "record",
    [
        [1],
        "seed",
        {"sead": True},
        {"seed": 1},
        {"seed": "yes"},
        {"suffix_length": True},
        {"batch_most": "32"},
        {"methods": "dpo"},
        {"deploy": "soon"},
        {"learning_rate": ""},
    ],
)
def test_a_record_of_capabilities_that_makes_no_sense_is_refused(record):
    with pytest.raises(ValidationError) as told:
        Provider(name="x", capabilities=record).clean_fields()
    assert set(told.value.message_dict) == {"capabilities"}


@pytest.mark.parametrize("kind", Provider.Kind.values)
def test_every_kind_has_a_whole_record(kind):
    assert set(KINDS[kind]) == set(BASE)
    check_record(KINDS[kind])


def test_the_engine_of_this_installation_stands_where_the_settings_say(settings):
    settings.ENGINE_URL, settings.ENGINE_KEY = "http://127.0.0.1:7/v1", "engine-key"
    ours = Provider(kind="engine")
    assert (ours.address, ours.secret) == ("http://127.0.0.1:7/v1", "engine-key")


def test_our_engines_key_goes_to_no_other_address(settings):
    settings.ENGINE_KEY = "engine-key"
    assert Provider(kind="engine", base_url="https://elsewhere.example/v1").secret == ""
    assert Provider(kind="compatible").secret == ""
    assert Provider(kind="compatible").address == ""


def test_a_new_installation_can_tune_on_this_machine_and_openai_waits_for_a_key(db):
    assert [str(model) for model in Model.objects.trainable()] == ["smollm2-135m-instruct (This machine)"]
    openai = Provider.objects.get(kind="openai")
    assert not openai.is_active and not openai.key
    for model in openai.models.all():
        assert {price.what for price in model.prices.all()} == {"train", "input", "cached", "output"}
        assert model.train_until and model.serve_until


def test_the_other_kinds_wait_switched_off_for_an_address_and_a_key(db):
    waiting = Provider.objects.exclude(kind__in=["engine", "openai"])
    assert {row.kind for row in waiting} == {"azure", "nebius", "crusoe", "unsloth"}
    for row in waiting:
        assert (row.is_active, row.base_url, row.key, row.models.count()) == (False, "", "", 0)


def test_where_a_date_stands_its_source_stands_too(db):
    dated = Model.objects.exclude(train_until=None, serve_until=None)
    assert dated.count() == 4
    assert not dated.filter(dates_source="").exists()
