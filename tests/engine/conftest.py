"""One engine for all tests here, and the chats it trains on."""

import pytest
from openai import AsyncOpenAI

from tests.engine.talk import Client, chat, jsonl
from tests.engine_process import EngineProcess


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="session")
def client(engine):
    return Client.of(engine)


@pytest.fixture
def async_client(engine):
    return AsyncOpenAI(base_url=engine.base_url, api_key=engine.key, max_retries=0)


@pytest.fixture(scope="session")
def training():
    """Twelve chats: three steps an epoch."""
    return jsonl(chat(f"What is {letter}?", f"Letter {letter}: да.") for letter in "abcdefghijkl")


@pytest.fixture(scope="session")
def validation():
    return jsonl(chat(f"Say {letter}", f"Letter {letter}: да.") for letter in "mnopq")


@pytest.fixture(scope="session")
def long_options(client, validation):
    """Long enough to be broken off in the middle."""
    numbers = {"n_epochs": 25, "learning_rate_multiplier": 3}
    method = {"type": "supervised", "supervised": {"hyperparameters": numbers}}
    return {"seed": 7, "suffix": "letters", "method": method, "metadata": {"op": "tuned"}}


@pytest.fixture(scope="session")
def tuned(client, training, validation, long_options):
    """A job that nobody disturbed."""
    job = client.start(training, validation_file=client.upload(validation), **long_options)
    job = client.wait(job)
    assert job.status == "succeeded", client.messages(job)
    return job


@pytest.fixture(scope="session")
def short(client, training):
    """A job of one epoch, with another seed."""
    return client.wait(client.start(training, seed=8, hyperparameters={"n_epochs": 1}))
