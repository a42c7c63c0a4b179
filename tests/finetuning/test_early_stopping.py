"""A training that ends before its last epoch, where the provider can: on the engine, asked for at every door."""

import pytest
from django.core.exceptions import ValidationError

from finetuning import hyperparameters
from finetuning.models import Job
from tests import factories
from tests.doors import api, pages
from tests.engine_process import EngineProcess
from tests.finetuning.everywhere import train

NAME = "early_stopping_patience"


@pytest.fixture
def on_engine(db):
    provider = factories.make_provider(kind="engine")
    return factories.make_model(provider=provider, train="0", answer="0")


def test_it_trains_no_longer_than_the_validation_loss_falls(version, tmp_path):
    with EngineProcess(tmp_path) as engine:
        numbers = {"n_epochs": 12, "learning_rate_multiplier": 20, NAME: 1}
        job = train("engine", version, engine, engine.model, engine.key, **numbers)
    assert job.state == "succeeded", job.error_message
    assert job.settled_hyperparameters[NAME] == 1
    losses = [row.value for row in job.metrics.filter(name="full_valid_loss", step__gt=0).order_by("step")]
    assert len(losses) < 12 and losses[-1] >= min(losses[:-1])
    assert any("Stopped early after epoch" in each.message for each in job.events.all())


def test_only_who_asks_for_it_gets_it_and_only_from_a_provider_that_can(version, on_engine, owner):
    assert NAME not in Job.objects.start(version, on_engine, by=owner).hyperparameters
    asked = Job.objects.start(version, on_engine, by=owner, hyperparameters={NAME: "3"})
    assert hyperparameters.request_fields(asked, 5)["method"]["supervised"]["hyperparameters"][NAME] == 3
    other = factories.make_model(provider=factories.make_provider(kind="openai"))
    with pytest.raises(ValidationError) as refusal:
        Job.objects.start(version, other, by=owner, hyperparameters={NAME: 3})
    assert list(refusal.value.message_dict) == [NAME]
    assert NAME not in hyperparameters.kept_for(asked.hyperparameters, other.provider)


def test_without_validation_examples_it_is_refused_at_every_door(dataset, on_engine, owner):
    version = factories.make_version(dataset=dataset, validation=0, by=owner)
    told = {"model": on_engine.pk, NAME: "2"}
    for path in ("jobs/preview/", "jobs/"):
        answer = api(owner).post(f"/api/versions/{version.pk}/{path}", told, format="json")
        assert answer.status_code == 400 and "no validation examples" in answer.content.decode()
    page = pages(owner).post(f"/versions/{version.pk}/train/", told | {"seed": "1"})
    assert "no validation examples to watch" in page.content.decode()
    assert not Job.objects.exists()


def test_the_form_has_a_field_for_it_where_it_can_be_asked_for(version, on_engine, model, owner):
    shown = {}
    for base in (on_engine, model):
        body = {"model": base.pk, "n_epochs": "1", "seed": "1"}
        page = pages(owner).post(f"/versions/{version.pk}/train/preview/", body).content.decode()
        shown[base] = f'name="{NAME}"' in page
    assert shown == {on_engine: True, model: False}
