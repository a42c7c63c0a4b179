"""Preferences (DPO): a better and a worse answer, from the file to the request."""

import json

import pytest

from common.states import Refused
from datasets.freezing import freeze
from finetuning.models import Job
from finetuning.states import Method
from tests import factories


def pair(number):
    question, better, worse = (
        f"What about {factories.unlike(number)}?",
        factories.unlike(number + 500),
        "No idea.",
    )
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": better}],
        "non_preferred_output": [{"role": "assistant", "content": f"{worse} {number}"}],
    }


@pytest.fixture
def preferences(course, owner):
    """Fourteen pairs and two plain chats."""
    dataset = factories.make_dataset(course=course)
    report = dataset.take_in(
        "pairs.jsonl", "\n".join(json.dumps(pair(n)) for n in range(14)).encode(), by=owner
    )
    assert (report.added, report.bad) == (14, 0)
    for _turn in range(2):
        factories.make_example(dataset=dataset)
    dataset.approve_drafts(by=owner)
    return freeze(dataset, by=owner, seed=1, validation=0.1, test=0.1)


@pytest.fixture
def model(there):
    provider = factories.make_provider(kind="openai", base_url=there.base_url)
    return factories.make_model(provider=provider, train="3.00")


def test_the_files_of_a_version_are_chats_or_its_preferences(preferences):
    count = preferences.trained(preferences=True)
    rows = [json.loads(line) for line in preferences.jsonl("train", preferences=True).splitlines()]
    assert len(rows) == count["examples"] >= 10
    assert set(rows[0]) == {"input", "preferred_output", "non_preferred_output"}
    assert rows[0]["non_preferred_output"][0]["content"].startswith("No idea.")
    chats = [json.loads(line) for line in preferences.jsonl("train").splitlines()]
    assert all(set(row) == {"messages"} for row in chats)
    assert len(chats) == preferences.statistics["train"]["examples"] >= len(rows)
    assert count["tokens"] > 0


def test_a_job_by_dpo_sends_preferences_and_beta(preferences, model, budget, there, sweep):
    job = Job.objects.start(
        preferences, model, hyperparameters={"beta": 0.2, "n_epochs": 2}, method=Method.DPO
    )
    sweep(job)
    told = json.loads(there.asked("POST /fine_tuning/jobs")[0]["body"])
    numbers = told["method"]["dpo"]["hyperparameters"]
    assert (told["method"]["type"], numbers["beta"], numbers["n_epochs"]) == ("dpo", 0.2, 2)
    assert there.files[told["training_file"]]["data"] == preferences.jsonl("train", preferences=True)
    there.finish(job.remote_id)
    sweep(job)
    assert (job.state, job.settled_hyperparameters["beta"]) == ("succeeded", 0.2)


def test_the_same_settings_by_another_method_are_another_job(preferences, model, budget):
    jobs = {Job.objects.start(preferences, model, method=method).pk for method in Method}
    assert len(jobs) == 2


def test_without_enough_pairs_or_where_the_provider_cannot_it_is_refused(version, preferences, model, budget):
    with pytest.raises(Refused, match="too few for DPO"):
        Job.objects.start(version, model, method=Method.DPO)
    other = factories.make_model(provider=factories.make_provider(kind="crusoe"))
    with pytest.raises(Refused, match="does not train by"):
        Job.objects.start(preferences, other, method=Method.DPO)


def test_a_rewritten_example_keeps_its_worse_answer_unless_another_is_given(preferences, owner):
    example = preferences.dataset.examples.exclude(rejected=None).first()
    worse = example.rejected
    example.rewrite([*example.messages[:-1], {"role": "assistant", "content": "Better still."}], by=owner)
    assert example.rejected == worse and example.state == "draft"
    example.rewrite(example.messages, by=owner, rejected=None)
    assert example.rejected is None


def test_personal_data_in_a_worse_answer_is_found_and_taken_out(course, owner):
    dataset = factories.make_dataset(course=course)
    worse = {"role": "assistant", "content": "Write to keeper@example.org."}
    example = dataset.write(factories.chat("Who knows?", "Ask the keeper."), by=owner, rejected=worse)
    assert example.personal
    example.redact(by=owner)
    assert "keeper@example.org" not in example.rejected["content"] and not example.personal
