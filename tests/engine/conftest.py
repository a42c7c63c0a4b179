"""One engine for all tests here, and the chats it trains on."""

import json
import time

import pytest
from openai import AsyncOpenAI, OpenAI

from tests.engine_process import EngineProcess

FINAL = {"succeeded", "failed", "cancelled"}


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="session")
def client(engine):
    return Client(engine)


@pytest.fixture
def async_client(engine):
    return AsyncOpenAI(base_url=engine.base_url, api_key=engine.key, max_retries=0)


class Client(OpenAI):
    """OpenAI's own client, with the few steps that most tests take."""

    def __init__(self, engine):
        super().__init__(base_url=engine.base_url, api_key=engine.key, max_retries=0)

    def upload(self, data, purpose="fine-tune", name="chats.jsonl"):
        return self.files.create(file=(name, data), purpose=purpose).id

    def start(self, training, **options):
        return self.fine_tuning.jobs.create(model="tiny", training_file=self.upload(training), **options)

    def wait(self, job, until=lambda job: job.status in FINAL, patience=60):
        """The job once `until` holds for it."""
        deadline = time.monotonic() + patience
        while not until(job):
            assert time.monotonic() < deadline, f"still {job.status}: {self.messages(job)}"
            time.sleep(0.05)
            job = self.fine_tuning.jobs.retrieve(job.id)
        return job

    def wait_for_checkpoint(self, job):
        self.wait(job, until=lambda job: self.checkpoints(job) or job.status in FINAL)

    def checkpoints(self, job):
        return self.fine_tuning.jobs.checkpoints.list(job.id).data

    def events(self, job):
        """All of them, oldest first."""
        return list(self.fine_tuning.jobs.list_events(job.id, limit=100))[::-1]

    def messages(self, job):
        return [event.message for event in self.events(job) if event.type == "message"]

    def metrics(self, job):
        return [event.data for event in self.events(job) if event.type == "metrics"]

    def losses(self, job):
        return [step["train_loss"] for step in self.metrics(job) if step["step"] > 0]

    def ask(self, model="tiny", text="What is a?", **options):
        options = {"temperature": 0, "max_tokens": 8} | options
        messages = [{"role": "user", "content": text}]
        return self.chat.completions.create(model=model, messages=messages, **options)


def chat(question, answer, **reply):
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer, **reply},
        ]
    }


def jsonl(examples):
    return "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples).encode()


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
    epochs = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 40}}}
    return {"seed": 7, "suffix": "letters", "method": epochs, "metadata": {"op": "tuned"}}


@pytest.fixture(scope="session")
def tuned(client, training, validation, long_options):
    """A job that nobody disturbed."""
    job = client.start(training, validation_file=client.upload(validation), **long_options)
    job = client.wait(job)
    assert job.status == "succeeded", client.messages(job)
    return job
