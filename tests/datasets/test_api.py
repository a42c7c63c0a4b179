"""Data sets, examples and versions through the API."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Dataset, Example, Import, Version
from tests import factories
from tests.doors import api

CHAT = factories.chat("When is the lamp lit?", "Before sunset.")


def jsonl(*rows):
    return SimpleUploadedFile("rows.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows).encode())


def body_of(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_the_way_from_texts_to_a_frozen_version(full_course, owner):
    client = api(owner)
    dataset = client.post(
        f"/api/courses/{full_course.pk}/datasets/", {"title": "Answers", "instructions": "Be brief."}
    ).json()
    address = f"/api/datasets/{dataset['id']}"
    made = client.post(f"{address}/build/").json()["made"]
    assert made >= 20
    assert client.post(f"{address}/build/").json()["made"] == 0
    drafts = client.get(f"{address}/examples/?state=draft").json()
    assert drafts["count"] == made
    citation = drafts["results"][0]["citations"][0]
    assert citation["quote"] == drafts["results"][0]["messages"][-1]["content"]
    assert client.post(f"{address}/approve-drafts/").json() == {"approved": made}
    assert client.get(f"{address}/").json()["approved"] == made
    answer = client.post(f"{address}/versions/", {"seed": 7, "validation": 0.2, "test": 0.2}, format="json")
    assert answer.status_code == 201
    version = answer.json()
    assert (version["number"], version["seed"], version["instructions"]) == (1, 7, "Be brief.")
    assert sum(split["examples"] for split in version["statistics"].values()) == made
    assert client.get(f"{address}/versions/").json()["results"] == [version]
    assert client.get(f"/api/versions/{version['id']}/").json() == version
    for split, file in version["files"].items():
        data = body_of(client.get(f"/api/versions/{version['id']}/files/{split}/"))
        assert len(data) == file["bytes"]
    assert len(body_of(client.get(f"{address}/export/")).splitlines()) == made


REQUESTS = [
    # method, address, who may; the others of the course are refused, and students see nothing below it
    ("get", "/api/courses/{course}/datasets/", "oer"),
    ("post", "/api/courses/{course}/datasets/", "oe"),
    ("get", "/api/datasets/{dataset}/", "oer"),
    ("patch", "/api/datasets/{dataset}/", "oe"),
    ("post", "/api/datasets/{dataset}/build/", "oe"),
    ("post", "/api/datasets/{dataset}/import/", "oe"),
    ("get", "/api/datasets/{dataset}/export/", "oer"),
    ("post", "/api/datasets/{dataset}/approve-drafts/", "oer"),
    ("get", "/api/datasets/{dataset}/examples/", "oer"),
    ("post", "/api/datasets/{dataset}/examples/", "oe"),
    ("get", "/api/examples/{example}/", "oer"),
    ("patch", "/api/examples/{example}/", "oe"),
    ("post", "/api/examples/{example}/approve/", "oer"),
    ("post", "/api/examples/{example}/reject/", "oer"),
    ("delete", "/api/examples/{example}/", "oe"),
    ("get", "/api/datasets/{dataset}/versions/", "oer"),
    ("post", "/api/datasets/{dataset}/versions/", "oe"),
    ("get", "/api/versions/{version}/", "oer"),
    ("get", "/api/versions/{version}/files/train/", "oer"),
]


def test_who_may_what(version, owner, editor, reviewer, student, stranger, inactive):
    keys = {
        "course": version.dataset.course_id, "dataset": version.dataset_id, "version": version.pk,
        "example": version.dataset.examples.first().pk,
    }  # fmt: skip
    people = {"s": student, "r": reviewer, "e": editor, "o": owner}
    doors = {letter: api(person) for letter, person in people.items()}
    outside, gone, nobody = api(stranger), api(inactive), api()
    for method, address, may in REQUESTS:
        address = address.format(**keys)
        assert getattr(nobody, method)(address).status_code == 401, address
        assert getattr(gone, method)(address).status_code == 401, address
        assert getattr(outside, method)(address).status_code == 404, address
        told = {letter: getattr(door, method)(address).status_code for letter, door in doors.items()}
        assert told["s"] == (403 if "courses" in address else 404), address
        assert {letter for letter in "reo" if told[letter] == 403} == set("reo") - set(may), (method, address)
        deleted = method == "delete"
        assert all(told[letter] not in (403, 404) or deleted for letter in may), (method, address, told)


@pytest.mark.parametrize("key", ["0", "999999999", "9" * 30])
def test_what_is_not_there_is_404(owner, key):
    for _method, address, _may in REQUESTS:
        keys = dict.fromkeys(["course", "dataset", "example", "version"], key)
        assert api(owner).get(address.format(**keys)).status_code in (404, 405)


def test_an_example_is_written_changed_decided_and_removed(dataset, editor, reviewer):
    client = api(editor)
    made = client.post(f"/api/datasets/{dataset.pk}/examples/", {"messages": CHAT}, format="json")
    assert made.status_code == 201
    example = made.json()
    assert (example["state"], example["origin"], example["messages"]) == ("draft", "written", CHAT)
    address = f"/api/examples/{example['id']}/"
    decided = api(reviewer).post(f"{address}approve/", {"note": "Well said."})
    assert decided.json()["state"] == "approved"
    assert api(reviewer).post(f"{address}approve/").status_code == 409
    changed = client.patch(address, {"messages": factories.chat("When?", "At dusk.")}, format="json")
    assert (changed.json()["state"], changed.json()["messages"][1]["content"]) == ("draft", "At dusk.")
    assert client.post(f"{address}reject/").json()["state"] == "rejected"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"messages": None}, {"messages": []}, {"messages": "x"}, {"messages": [1]}, {"messages": [[]]},
        {"messages": CHAT[:1]}, {"messages": factories.chat("x\x00", "y")}, {"messages": factories.chat("", "y")},
        {"messages": [*CHAT, {"role": "god", "content": "x"}]}, {"messages": CHAT, "section": "x"},
        {"messages": CHAT, "section": None}, {"messages": [{**CHAT[0], "weight": 1}, CHAT[1]]},
    ],
    ids=lambda body: ascii(body)[:60],
)  # fmt: skip
def test_a_bad_example_is_400_and_nothing_is_kept(dataset, editor, body):
    count = dataset.examples.count()
    answer = api(editor).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json")
    assert answer.status_code == 400
    assert dataset.examples.count() == count


@pytest.mark.parametrize("raw", [b"\\ud800", b"\\u0000", b"[" * 60_000])
def test_what_no_database_keeps_is_400(dataset, editor, raw):
    body = (
        b'{"messages": [{"role": "user", "content": "' + raw + b'"}, {"role": "assistant", "content": "x"}]}'
    )
    if raw.startswith(b"["):
        body = b'{"messages": ' + raw
    answer = api(editor).post(f"/api/datasets/{dataset.pk}/examples/", body, content_type="application/json")
    assert answer.status_code == 400


def test_the_same_words_again_are_400(dataset, editor):
    client = api(editor)
    client.post(f"/api/datasets/{dataset.pk}/examples/", {"messages": CHAT}, format="json")
    again = client.post(f"/api/datasets/{dataset.pk}/examples/", {"messages": CHAT}, format="json")
    assert again.status_code == 400
    assert "already" in again.json()["detail"]


def test_a_section_of_this_course_is_taken_and_no_other(dataset, owner, stranger):
    other = factories.make_course(owner=stranger)
    hidden = factories.make_text(course=other).section
    own = factories.make_text(course=factories.make_course(owner=owner)).section
    here = dataset.course.sections.first()
    statuses = {}
    for number, section in enumerate([here, own, hidden]):
        body = {"messages": factories.chat(f"{number}?", "x"), "section": section.pk}
        statuses[section] = (
            api(owner).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json").status_code
        )
    assert statuses == {here: 201, own: 400, hidden: 404}
    assert not Example.objects.filter(section__in=[own, hidden]).exists()


def test_what_a_caller_may_not_set_is_ignored(dataset, editor, stranger):
    body = {
        "messages": CHAT, "state": "approved", "origin": "generated", "dataset": 7, "tokens": 1, "sha256": "x",
        "written_by": stranger.pk, "id": 7777,
    }  # fmt: skip
    example = Example.objects.get(
        pk=api(editor).post(f"/api/datasets/{dataset.pk}/examples/", body, format="json").json()["id"]
    )
    assert (example.state, example.origin, example.dataset, example.written_by) == (
        "draft",
        "written",
        dataset,
        editor,
    )
    assert example.pk != 7777 and example.tokens > 1
    api(editor).patch(f"/api/examples/{example.pk}/", body, format="json")
    example.refresh_from_db()
    assert (example.state, example.dataset) == ("draft", dataset)
    other = factories.make_course(owner=stranger)
    api(editor).patch(f"/api/datasets/{dataset.pk}/", {"course": other.pk, "title": "New"}, format="json")
    dataset.refresh_from_db()
    assert (dataset.title, dataset.course_id) == ("New", example.dataset.course_id)


@pytest.mark.parametrize(
    "body",
    [{"title": ""}, {"title": None}, {"title": "x" * 201}, {"instructions": "x" * 8001}, {"title": "a\x00"}],
)
def test_a_bad_data_set_is_400(dataset, editor, body):
    assert api(editor).patch(f"/api/datasets/{dataset.pk}/", body, format="json").status_code == 400
    assert (
        api(editor)
        .post(f"/api/courses/{dataset.course_id}/datasets/", {"title": "x", **body}, format="json")
        .status_code
        == 400
    )
    assert Dataset.objects.count() == 1


def take(person, dataset, file, **more):
    return api(person).post(f"/api/datasets/{dataset.pk}/import/", {"file": file, **more}, format="multipart")


def test_a_file_is_brought_in_with_a_report(dataset, editor):
    answer = take(editor, dataset, jsonl({"messages": CHAT}, {"messages": CHAT}))
    assert answer.status_code == 201
    report = answer.json()
    assert (report["added"], report["known"], report["bad"], report["problems"]) == (1, 1, 0, [])


def test_a_file_with_a_bad_line_is_400_with_each_line_and_nothing_is_taken(dataset, editor):
    count = dataset.examples.count()
    answer = take(editor, dataset, jsonl({"messages": CHAT}, {"messages": []}, 7))
    assert answer.status_code == 400
    assert [problem["line"] for problem in answer.json()["problems"]] == [2, 3]
    assert dataset.examples.count() == count
    answer = take(editor, dataset, jsonl({"messages": CHAT}, {"messages": []}, 7), skip_bad="true")
    assert (answer.status_code, answer.json()["added"], answer.json()["bad"]) == (201, 1, 2)


def test_no_file_or_one_that_is_too_long_is_400(dataset, editor, settings):
    assert api(editor).post(f"/api/datasets/{dataset.pk}/import/", {}, format="multipart").status_code == 400
    assert take(editor, dataset, "a text").status_code == 400
    settings.MAX_JSONL_BYTES = 10
    answer = take(editor, dataset, jsonl({"messages": CHAT}))
    assert answer.status_code == 400 and "over the limit" in answer.json()["detail"]
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"seed": -1},
        {"seed": 2**31},
        {"seed": "x"},
        {"validation": 0.6},
        {"test": -0.1},
        {"test": "NaN"},
        {"test": "Infinity"},
        {"validation": None},
    ],
)
def test_a_bad_split_is_400(dataset, owner, body):
    assert api(owner).post(f"/api/datasets/{dataset.pk}/versions/", body, format="json").status_code == 400
    assert not Version.objects.exists()


def test_too_few_examples_are_400_with_the_count(course, owner):
    dataset = factories.make_dataset(course=course)
    factories.make_example(dataset=dataset)
    answer = api(owner).post(f"/api/datasets/{dataset.pk}/versions/")
    assert answer.status_code == 400
    assert "1 examples would train" in answer.json()["detail"]


def test_a_download_is_named_and_never_shown_as_a_page(version, owner):
    for address in (f"/api/versions/{version.pk}/files/test/", f"/api/datasets/{version.dataset_id}/export/"):
        answer = api(owner).get(address)
        assert answer["Content-Type"] == "application/jsonl; charset=utf-8"
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("split", ["", "all", "train.jsonl", "..", "TRAIN", "%00"])
def test_a_split_that_is_none_is_404(version, owner, split):
    assert api(owner).get(f"/api/versions/{version.pk}/files/{split}/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/api/datasets/{}/examples/?page_size=5",
        "/api/datasets/{}/examples/?page_size=500",
        "/api/datasets/{}/versions/",
    ],
)
def test_queries_do_not_grow_with_the_rows(version, owner, address, django_assert_max_num_queries):
    client = api(owner)
    with django_assert_max_num_queries(9):
        assert client.get(address.format(version.dataset_id)).status_code == 200
