"""The base models that one may choose from."""

import pytest

from tests import factories
from tests.doors import api


def test_base_models_come_with_limits_and_prices(student):
    factories.make_model(name="tiny", train="3.00", answer="0.30")
    rows = {row["name"]: row for row in api(student).get("/api/base-models/").json()}
    tiny = rows["tiny"]
    assert {row["what"]: row["amount"] for row in tiny["prices"]} == {
        "train": "3.0000",
        "input": "0.3000",
        "output": "0.3000",
    }
    assert (tiny["context_tokens"], tiny["example_tokens"]) == (4096, 2048)


def test_base_models_tell_kind_methods_and_dates(student):
    provider = factories.make_provider(kind="openai")
    factories.make_model(
        provider=provider, train_until="2027-01-06", serve_until="2027-01-14", dates_source="a list"
    )
    factories.make_model(provider=factories.make_provider(capabilities={"methods": ["dpo"]}), name="other")
    rows = {row["name"]: row for row in api(student).get("/api/base-models/").json()}
    assert (rows["tiny"]["kind"], rows["tiny"]["methods"]) == ("openai", ["supervised", "dpo"])
    assert (rows["tiny"]["train_until"], rows["tiny"]["serve_until"]) == ("2027-01-06", "2027-01-14")
    assert rows["tiny"]["dates_source"] == "a list"
    assert (rows["other"]["kind"], rows["other"]["methods"]) == ("compatible", ["dpo"])


def test_what_cannot_be_tuned_is_not_there(student):
    factories.make_model(name="gone", trainable=False)
    factories.make_model(name="off", provider=factories.make_provider(is_active=False))
    assert [row["name"] for row in api(student).get("/api/base-models/").json()] == ["smollm2-135m-instruct"]


def test_nothing_of_the_provider_but_its_name_is_told(student):
    factories.make_model(
        provider=factories.make_provider(key="sk-very-secret-key", base_url="https://inner.example/v1")
    )
    told = api(student).get("/api/base-models/").content.decode()
    assert "secret" not in told and "inner.example" not in told


@pytest.mark.parametrize("how", ["nobody", "inactive"])
def test_without_a_token_there_is_nothing(db, inactive, how):
    assert api(inactive if how == "inactive" else None).get("/api/base-models/").status_code == 401


def test_the_number_of_queries_does_not_grow_with_the_models(student, django_assert_max_num_queries):
    for _turn in range(10):
        factories.make_model()
    client = api(student)
    with django_assert_max_num_queries(4):
        client.get("/api/base-models/")
