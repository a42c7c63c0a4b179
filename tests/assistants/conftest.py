"""Assistants: one on a real engine, published, and one at the imitation, a draft."""

import pytest

from providers.models import Provider
from tests import factories
from tests.engine_process import EngineProcess


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def assistant(version, engine, owner):
    """Answers by the name of its base, so that nothing need be trained to ask it."""
    provider = factories.make_provider(kind="engine", base_url=engine.base_url, key=engine.key)
    model = factories.make_model(provider=provider, name=engine.model, train="0", answer="0")
    tuned = factories.make_tuned_model(version=version, model=model, name=engine.model, by=owner)
    return factories.make_assistant(tuned_model=tuned, published=True, by=owner)


@pytest.fixture
def tuned(version, provider, owner):
    """At the imitation, for three dollars a million tokens; there is money for it."""
    factories.make_budget(course=version.dataset.course)
    model = factories.make_model(provider=provider, train="0", answer="3")
    return factories.make_tuned_model(version=version, model=model, by=owner)


@pytest.fixture
def draft(tuned, owner):
    return factories.make_assistant(tuned_model=tuned, by=owner)


@pytest.fixture
def silent(tuned, provider, owner):
    """Nobody stands where its provider is said to be."""
    Provider.objects.filter(pk=provider.pk).update(base_url="http://127.0.0.1:9/v1")
    return factories.make_assistant(tuned_model=tuned, by=owner)
