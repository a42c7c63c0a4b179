"""A frozen version: split by section, written down byte for byte, and never changed again."""

import hashlib
import json

import pytest
from django.db.models import ProtectedError

from accounts.models import AuditEntry
from common.states import Refused
from common.tokens import count_messages
from datasets.freezing import freeze
from datasets.models import Dataset, Version, VersionExample
from datasets.splitting import near_copies
from datasets.states import Split
from tests import factories


def files(version):
    return {split: version.jsonl(split) for split in Split.values}


def hashes(version):
    return {split: file["sha256"] for split, file in version.files.items()}


def test_the_files_are_what_the_hashes_and_statistics_say(version):
    for split, data in files(version).items():
        assert version.files[split] == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        rows = [json.loads(line) for line in data.splitlines()]
        told = version.statistics[split]
        assert told["examples"] == len(rows)
        tokens = [count_messages(row["messages"]) for row in rows]
        assert (told["tokens"], told["shortest"], told["longest"]) == (sum(tokens), min(tokens), max(tokens))
    assert version.training_tokens == version.statistics["train"]["tokens"]


def test_every_approved_example_is_in_one_split_and_no_other_is_in_any(dataset, owner):
    draft = factories.make_example(dataset=dataset, state="draft")
    rejected = factories.make_example(dataset=dataset, state="rejected")
    version = freeze(dataset, by=owner)
    frozen = list(version.examples.values_list("example_id", flat=True))
    assert sorted(frozen) == sorted(dataset.examples.approved().values_list("pk", flat=True))
    assert not {draft.pk, rejected.pk} & set(frozen)


def test_sections_never_straddle_splits(dataset, owner):
    for seed in range(10):
        version = freeze(dataset, by=owner, seed=seed, validation=0.2, test=0.2)
        where = {}
        for row in version.examples.all():
            where.setdefault(row.section_id, set()).add(row.split)
        assert all(len(splits) == 1 for splits in where.values())
        assert all(version.statistics[split]["examples"] for split in Split.values)


def test_near_copies_never_straddle_splits(owner):
    course = factories.make_course(owner=owner)
    dataset = factories.make_dataset(course=course)
    for number in range(30):
        answer = factories.unlike(number)
        factories.make_example(dataset=dataset, question=f"What of number {number}?", answer=answer)
        factories.make_example(dataset=dataset, question=f"What of number {number}!", answer=answer + ".")
    for seed in range(10):
        version = freeze(dataset, seed=seed, validation=0.2, test=0.2)
        assert version.checks == {"groups": 30, "near_copies": 30, "across_splits": 0, "personal": {}}
        rows = list(version.examples.order_by("position"))
        for one, other in near_copies([f"{row.question}\n{row.answer}" for row in rows]):
            assert rows[one].split == rows[other].split


def test_the_same_seed_gives_the_same_files_and_another_seed_others(dataset, owner):
    first, second = freeze(dataset, by=owner, seed=3), freeze(dataset, by=owner, seed=3)
    assert files(first) == files(second) and hashes(first) == hashes(second)
    assert (first.number, second.number) == (1, 2)
    assert {str(hashes(freeze(dataset, by=owner, seed=seed))) for seed in range(10)} != {str(hashes(first))}


def test_another_data_set_with_the_same_content_gives_the_same_files(dataset, version, owner):
    twin = Dataset.objects.start(dataset.course, "Twin", dataset.instructions, by=owner)
    twin.build(by=owner)
    twin.approve_drafts(by=owner)
    assert files(freeze(twin, by=owner)) == files(version)


def test_another_course_with_the_same_texts_gives_the_same_files(version, owner):
    course = factories.make_course(owner=owner)
    for name in factories.TEXTS:
        factories.make_text(course=course, name=name)
    twin = factories.make_dataset(course=course, instructions=version.instructions)
    twin.build()
    twin.approve_drafts()
    assert hashes(freeze(twin)) == hashes(version)


def test_what_is_exported_and_imported_again_gives_the_same_files(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    for number in range(40):
        factories.make_example(dataset=dataset, question=f"{number}?", answer=factories.unlike(number))
    twin = factories.make_dataset(course=factories.make_course(owner=owner))
    twin.take_in("all.jsonl", "".join(dataset.export()).encode())
    twin.approve_drafts()
    assert hashes(freeze(twin, seed=9)) == hashes(freeze(dataset, seed=9))


def test_the_instructions_stand_in_front_of_every_row_that_brings_none(dataset, owner):
    own = [
        {"role": "system", "content": "Be silent."},
        *factories.chat("Why is it dark?", factories.unlike(0)),
    ]
    dataset.write(own, by=owner).approve()
    version = freeze(dataset, by=owner, test=0, validation=0)
    rows = [json.loads(line) for line in version.jsonl("train").splitlines()]
    assert {row["messages"][0]["content"] for row in rows} == {factories.INSTRUCTIONS, "Be silent."}
    assert all([message["role"] for message in row["messages"]].count("system") == 1 for row in rows)


def test_nothing_that_happens_later_changes_a_version(dataset, version, owner):
    before, told = files(version), (hashes(version), version.statistics, version.checks)
    changed, removed = dataset.examples.all()[:2]
    changed.rewrite(factories.chat("Another question?", "Another answer to it."), by=owner)
    removed.remove(by=owner)
    Dataset.objects.filter(pk=dataset.pk).update(instructions="Be rude.")
    for text in dataset.course.sections.first().texts.all():
        text.remove(by=owner)
    version = Version.objects.get(pk=version.pk)
    assert files(version) == before
    assert (hashes(version), version.statistics, version.checks) == told
    assert version.instructions == factories.INSTRUCTIONS
    assert VersionExample.objects.filter(version=version, example=None).count() == 1


def test_too_few_examples_are_refused_with_the_count_and_nothing_is_frozen(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    with pytest.raises(Refused, match="No example is approved"):
        freeze(dataset)
    for _turn in range(9):
        factories.make_example(dataset=dataset)
    with pytest.raises(Refused, match="8 examples would train"):
        freeze(dataset, test=0.1, validation=0)
    assert not Version.objects.exists()


def test_ten_are_enough(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    version = factories.make_version(dataset=dataset, examples=10, validation=0, test=0)
    assert version.statistics["train"]["examples"] == 10
    assert (version.statistics["test"], version.jsonl("test")) == (
        {
            "examples": 0, "sections": 0, "tokens": 0, "shortest": 0, "median": 0, "longest": 0,
            "preferences": {"examples": 0, "tokens": 0},
        }, b"",
    )  # fmt: skip


def test_who_froze_it_is_written_down_with_the_hashes(version, owner):
    entry = AuditEntry.objects.get(action="version.freeze")
    assert (entry.actor, entry.object_id, entry.details) == (owner, str(version.pk), {"files": version.files})


def test_a_data_set_with_a_version_is_not_deleted_under_it(dataset, version):
    with pytest.raises(ProtectedError):
        dataset.delete()


def test_a_frozen_row_tells_its_prompt_question_and_answer(version):
    row = version.examples.first()
    assert [message["role"] for message in row.prompt] == ["system", "user"]
    assert row.question == row.prompt[-1]["content"]
    assert row.answer == row.messages[-1]["content"]
