"""A JSONL file is brought in whole, or in its good lines where that was asked for; the report names the bad ones."""

import hashlib
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry
from common.states import Refused
from datasets.importing import take_in_file
from datasets.models import Example, Import
from tests import factories


def line(number, **more):
    return json.dumps(
        {"messages": factories.chat(f"Question {number}?", f"Answer {number}."), **more}, ensure_ascii=False
    )


GOOD = "".join(f"{line(number)}\n" for number in range(5)).encode()
BAD = b"{}\n" + GOOD + b'{"messages": 7}\nnonsense\n'


@pytest.fixture
def dataset(course):
    return factories.make_dataset(course=course)


def test_a_good_file_becomes_drafts_with_a_report(dataset, editor):
    report = dataset.take_in("pairs.jsonl", GOOD, by=editor)
    assert (report.added, report.known, report.bad, report.problems) == (5, 0, 0, [])
    assert report.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert {(row.state, row.origin, row.written_by) for row in dataset.examples.all()} == {
        ("draft", "imported", editor)
    }
    assert [row.question for row in dataset.examples.all()] == [f"Question {number}?" for number in range(5)]
    entry = AuditEntry.objects.get(action="dataset.import")
    assert (entry.actor, entry.details) == (editor, {"file": "pairs.jsonl", "added": 5, "bad": 0})


def test_one_bad_line_and_nothing_is_taken(dataset):
    report = dataset.take_in("pairs.jsonl", BAD)
    assert (report.added, report.known, report.bad) == (0, 0, 3)
    assert [problem["line"] for problem in report.problems] == [1, 7, 8]
    assert all(problem["problem"] for problem in report.problems)
    assert not Example.objects.exists()


def test_where_it_was_asked_for_the_good_lines_are_taken(dataset):
    report = dataset.take_in("pairs.jsonl", BAD, skip_bad=True)
    assert (report.added, report.bad) == (5, 3)
    assert dataset.examples.count() == 5


def test_a_file_of_bad_lines_only_takes_nothing_even_so(dataset):
    report = dataset.take_in("pairs.jsonl", b"{}\n{}\n", skip_bad=True)
    assert (report.added, report.bad, Example.objects.count()) == (0, 2, 0)


def test_the_same_file_again_adds_nothing(dataset):
    dataset.take_in("pairs.jsonl", GOOD)
    report = dataset.take_in("again.jsonl", GOOD)
    assert (report.added, report.known) == (0, 5)
    assert dataset.examples.count() == 5


def test_the_same_row_twice_in_a_file_is_one_example(dataset):
    spaced = line(0).replace(": ", ":").encode() + b"\n"
    report = dataset.take_in("pairs.jsonl", GOOD + GOOD + spaced)
    assert (report.added, report.known) == (5, 6)


def test_tools_make_another_example_and_are_kept(dataset):
    tools = [{"type": "function", "function": {"name": "find", "parameters": {"x": 1.5}}}]
    report = dataset.take_in(
        "pairs.jsonl", f"{line(0)}\n{line(0, tools=tools, parallel_tool_calls=False)}\n".encode()
    )
    assert report.added == 2
    kept = dataset.examples.last()
    assert (kept.tools, kept.parallel_tool_calls) == (tools, False)
    assert json.loads(kept.line()) == json.loads(line(0, tools=tools, parallel_tool_calls=False))


def test_a_thousand_problems_are_listed_and_all_are_counted(dataset):
    report = dataset.take_in("pairs.jsonl", b"{}\n" * 1500)
    assert (len(report.problems), report.bad) == (1000, 1500)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"\x00\x00", b"\xff\xfe{", b"[]", b'{"\\u0000": 1, "\\u0000": 2}',
        b'{"\\ud800": 1}', '{"messages": "лампа"}'.encode("cp1251"), b"[" * 100_000, b'{"messages": []}\r\r\r',
    ],
    ids=ascii,
)  # fmt: skip
def test_whatever_is_sent_the_report_is_kept(dataset, data):
    report = dataset.take_in("пары <script>.jsonl", data)
    kept = Import.objects.get(pk=report.pk)
    assert kept.bad >= 1
    assert kept.problems == report.problems
    assert not Example.objects.exists()


def test_an_export_comes_back_as_it_was(dataset, course):
    messages = [
        {"role": "system", "content": "Говори кратко."},
        *factories.chat("Что такое «фитиль»? 🙂\u2028", "<|endoftext|>"),
    ]
    dataset.write(messages, tools=[{"b": 1e22, "a": [0.1, None]}]).approve()
    for number in range(3):
        factories.make_example(dataset=dataset, question=f"{number}?")
    exported = "".join(dataset.export())
    twin = factories.make_dataset(course=course)
    assert twin.take_in("export.jsonl", exported.encode()).bad == 0
    twin.approve_drafts()
    assert "".join(twin.export()) == exported
    assert exported.count("\n") == 4


def test_an_export_holds_the_approved_ones_only_each_with_the_instructions(course):
    dataset = factories.make_dataset(course=course, instructions="Be brief.")
    for state in ("approved", "draft", "rejected"):
        factories.make_example(dataset=dataset, state=state)
    (only,) = dataset.export()
    assert json.loads(only)["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_file_over_the_limit_is_refused_with_size_and_limit(dataset, settings):
    settings.MAX_JSONL_BYTES = 100
    with pytest.raises(Refused, match=r"pairs\.jsonl: 530.bytes is over the limit of 100.bytes"):
        take_in_file(dataset, SimpleUploadedFile("pairs.jsonl", GOOD))
    assert not Import.objects.exists()


def test_a_large_file_is_brought_in_within_seconds(dataset):
    data = "".join(f"{line(number)}\n" for number in range(3000)).encode()
    assert dataset.take_in("many.jsonl", data).added == 3000
