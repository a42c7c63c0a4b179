"""OpenAI's own client with the few steps that most tests take, and chats to train on."""

import json
import time

from openai import OpenAI

FINAL = {"succeeded", "failed", "cancelled"}


class Client(OpenAI):
    @classmethod
    def of(cls, engine):
        return cls(base_url=engine.base_url, api_key=engine.key, max_retries=0)

    def upload(self, data, purpose="fine-tune", name="chats.jsonl"):
        return self.files.create(file=(name, data), purpose=purpose).id

    def start(self, training, **options):
        return self.fine_tuning.jobs.create(model="tiny", training_file=self.upload(training), **options)

    def wait(self, job, until=lambda job: job.status in FINAL, patience=240):
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


def preference(question, preferred, other):
    replies = ([{"role": "assistant", "content": text}] for text in (preferred, other))
    asked = {"messages": [{"role": "user", "content": question}]}
    return dict(zip(("input", "preferred_output", "non_preferred_output"), (asked, *replies), strict=True))


def jsonl(examples):
    return "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples).encode()
