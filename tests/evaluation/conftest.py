"""Tuned models to compare with their bases: one on a real engine, one at the imitation."""

import pytest

from tests import factories
from tests.engine_process import EngineProcess


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def on_engine(version, engine, owner):
    """Answers by the name of its base, so that nothing need be trained to ask it."""
    provider = factories.make_provider(kind="engine", base_url=engine.base_url, key=engine.key)
    model = factories.make_model(provider=provider, name=engine.model, train="0", answer="0")
    return factories.make_tuned_model(version=version, model=model, name=engine.model, by=owner)


@pytest.fixture
def tuned(version, provider, owner):
    model = factories.make_model(provider=provider, train="0", answer="0")
    return factories.make_tuned_model(version=version, model=model, by=owner)


@pytest.fixture
def learnt(version, there):
    """The imitation's tuned model has learnt every answer, its base model none."""
    answers = {each.question: each.answer for each in version.examples.all()}
    there.reply = lambda model, messages: (
        answers[messages[-1]["content"]] if model.startswith("ft:") else "Nobody knows."
    )
