"""Plain makers of rows, keyword-only; each goes through the verb that the product itself uses."""

from decimal import Decimal
from itertools import count

from django.utils import timezone

from accounts.models import User
from assistants.models import Assistant
from courses.models import Course
from datasets.freezing import freeze
from datasets.models import Dataset
from finetuning.models import Job, succeed
from finetuning.states import JobState
from providers.models import Budget, Model, Provider

numbers = count(1)

TEXTS = {
    "lamp.md": """# The lamp

The lamp burns rape oil in four wicks and is lit a quarter of an hour before sunset.

- **Burner**: the brass head that carries the four wicks and lets the draught rise between them.
- **Chimney**: a tall glass over the burner that steadies the flame and carries the smoke away.

## Trimming the wicks

A keeper trims the wicks every four hours with curved scissors, level and without a single loose thread.
""",
    "lens.md": """# The lens

The lens gathers the light of the lamp and throws it over the sea in eight narrow beams.

- **Prism**: a ring of glass that bends what would be lost upwards back to the horizon.
- **Bull's eye**: the round pane in the middle of each panel, through which the flash leaves.

## Why is the lens wiped with spirit?

Spirit takes the grease of the oil away and leaves no streak that would scatter a beam.
""",
    "clock.md": """# The clockwork

The clockwork turns the lens once in forty seconds and is driven by a falling weight.

- **Governor**: two brass wings that slow the train of wheels whenever it begins to race.
- **Weight**: three hundredweight of iron that sinks through the tower in two and a half hours.

## Winding up

The keeper on watch winds the weight up by hand before it touches the floor of the shaft.
""",
    "fog.md": """# The fog signal

In fog the keepers fire a charge of guncotton from the gallery every five minutes.

- **Jib**: the iron arm on which the charge is hoisted clear of the lantern panes.
- **Exploder**: the small magneto in the watch room that fires the charge through two wires.

## After the fog

The panes are washed of soot as soon as the far rocks can be seen again at daybreak.
""",
    "log.md": """# The log

The log is written at the end of every watch in ink and nothing in it is ever scraped out.

- **Entry**: the hour, the wind, the state of the light and the name of the keeper on watch.
- **Return**: the sheet copied out of the log each month and sent ashore with the boat.

## Who reads the log?

The superintendent reads it at each visit and puts his initials under the last line written.
""",
}
INSTRUCTIONS = "You are the keeper of the light. Answer briefly and from the course."


def make_user(*, name="", email="", password=None, **fields):
    return User.objects.create_user(
        email or f"person{next(numbers)}@example.org", password, name=name, **fields
    )


def make_course(*, owner=None, title="The lighthouse", language="en", **members):
    """`members` gives people by role: make_course(owner=ann, student=bob)."""
    owner = owner or make_user(is_instructor=True)
    course = Course.objects.start(by=owner, title=title, language=language)
    for role, person in members.items():
        course.set_role(person, role, by=owner)
    return course


def make_text(*, course, name="lamp.md", content=None, by=None):
    content = TEXTS[name] if content is None else content
    return course.add_text(name, content.encode(), by=by)


def make_dataset(*, course=None, title="Questions and answers", instructions="", by=None):
    return Dataset.objects.start(course or make_course(), title, instructions, by=by)


def chat(question, answer):
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def make_example(*, dataset, question="", answer="", state="approved", section=None, by=None):
    """One example; without words of its own it is unlike any other."""
    number = next(numbers)
    question = question or f"What is kept in drawer number {number} of the watch room?"
    answer = answer or unlike(number)
    example = dataset.write(chat(question, answer), by=by, section=section)
    if state != "draft":
        {"approved": example.approve, "rejected": example.reject}[state](by=by)
    return example


def unlike(number):
    """A sentence that shares no run of words with that of another number."""
    words = ("rope", "oil", "glass", "chart", "flag", "brass", "wick", "bell", "lamp", "log")
    return " ".join(f"{word}{number}" for word in words)


def make_version(*, dataset, examples=0, seed=0, validation=0.1, test=0.1, by=None):
    for _turn in range(examples):
        make_example(dataset=dataset)
    return freeze(dataset, by=by, seed=seed, validation=validation, test=test)


def make_provider(*, base_url="http://127.0.0.1:9/v1", key="sk-test", kind="compatible", **fields):
    name = fields.pop("name", f"provider {next(numbers)}")
    return Provider.objects.create(name=name, kind=kind, base_url=base_url, key=key, **fields)


def make_model(*, provider=None, name="tiny", train="3.00", answer="1.00", **fields):
    """A base model; `train` and `answer` are US dollars per 1M tokens, None for no price."""
    fields = {"context_tokens": 4096, "example_tokens": 2048, **fields}
    model = Model.objects.create(provider=provider or make_provider(), name=name, **fields)
    for what, amount in [("train", train), ("input", answer), ("output", answer)]:
        if amount is not None:
            model.prices.create(what=what, amount=Decimal(amount), valid_from="2026-01-01", source="a test")
    return model


def make_budget(*, course, limit="10"):
    month = timezone.localdate().replace(day=1)
    return Budget.objects.create(course=course, month=month, limit=Decimal(limit))


def make_job(*, version, model=None, by=None, seed=42, **hyperparameters):
    """Waiting for the sweep; on a model that costs nothing unless one is given."""
    model = model or make_model(train="0", answer="0")
    return Job.objects.start(version, model, by, hyperparameters, seed=seed)


def make_tuned_model(*, job=None, name="ft:tiny:course", **fields):
    """The end of a job that went well."""
    job = job or make_job(**fields)
    job._move(JobState.SENDING)
    job.advance_to(JobState.RUNNING, remote_id=f"ftjob-{job.pk}")
    return succeed(job, name)


def make_assistant(*, tuned_model, published=False, by=None):
    assistant = Assistant.objects.start(tuned_model, by=by)
    if published:
        assistant.publish(by=by)
    return assistant
