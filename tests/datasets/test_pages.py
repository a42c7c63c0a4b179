"""The pages of data sets: building, reviewing, bringing in, freezing."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Dataset, Example, Version
from tests import factories
from tests.doors import pages

EVIL = "<script>alert(1)</script>"


def shown(person, address):
    answer = pages(person).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


PAGES = [
    # method, address, who may; the others of the course are refused, and students see nothing of it
    ("get", "/courses/{course}/datasets/", "oer"),
    ("post", "/courses/{course}/datasets/", "oe"),
    ("get", "/datasets/{dataset}/", "oer"),
    ("post", "/datasets/{dataset}/change/", "oe"),
    ("post", "/datasets/{dataset}/build/", "oe"),
    ("post", "/datasets/{dataset}/import/", "oe"),
    ("get", "/datasets/{dataset}/export/", "oer"),
    ("post", "/datasets/{dataset}/approve/", "oer"),
    ("get", "/datasets/{dataset}/examples/new/", "oe"),
    ("post", "/datasets/{dataset}/versions/new/", "oe"),
    ("get", "/imports/{import_}/", "oer"),
    ("get", "/examples/{example}/", "oer"),
    ("post", "/examples/{example}/", "oe"),
    ("post", "/examples/{example}/approve/", "oer"),
    ("post", "/examples/{example}/reject/", "oer"),
    ("post", "/examples/{example}/remove/", "oe"),
    ("get", "/versions/{version}/", "oer"),
    ("get", "/versions/{version}/files/train/", "oer"),
]


def test_who_may_what(version, owner, editor, reviewer, student, stranger):
    dataset = version.dataset
    keys = {
        "course": dataset.course_id, "dataset": dataset.pk, "version": version.pk,
        "example": dataset.examples.first().pk, "import_": dataset.take_in("a.jsonl", b"{}").pk,
    }  # fmt: skip
    doors = {"s": pages(student), "r": pages(reviewer), "e": pages(editor), "o": pages(owner)}
    outside, guest = pages(stranger), pages()
    for method, address, may in PAGES:
        address = address.format(**keys)
        assert getattr(guest, method)(address)["Location"] == f"/sign-in/?next={address}"
        assert getattr(outside, method)(address).status_code == 404, address
        told = {
            letter: getattr(door, method)(address, {"title": ""}).status_code
            for letter, door in doors.items()
        }
        assert told["s"] == (403 if "courses" in address else 404), address
        assert {letter for letter in "reo" if told[letter] == 403} == set("reo") - set(may), (method, address)
        assert all(told[letter] < 500 for letter in may), (method, address, told)


def test_a_data_set_is_started_built_approved_and_frozen(full_course, owner):
    browser = pages(owner)
    address = browser.post(
        f"/courses/{full_course.pk}/datasets/", {"title": "Answers", "instructions": "Be brief."}
    )["Location"]
    dataset = Dataset.objects.get()
    assert address == f"/datasets/{dataset.pk}/"
    assert "Nothing here. Build pairs from the texts" in shown(owner, address)
    made = browser.post(f"{address}build/", follow=True).content.decode()
    assert f"{dataset.examples.count()} examples are built from the texts." in made
    assert "Nothing new" in browser.post(f"{address}build/", follow=True).content.decode()
    assert "examples are approved." in browser.post(f"{address}approve/", follow=True).content.decode()
    frozen = browser.post(f"{address}versions/new/", {"seed": 1, "validation": 0.2, "test": 0.2})
    version = Version.objects.get()
    assert frozen["Location"] == f"/versions/{version.pk}/"
    page = shown(owner, frozen["Location"])
    for file in version.files.values():
        assert file["sha256"] in page
    assert "<svg" in page and "0 of them across two splits" in page
    assert "smollm2-135m-instruct" in page and "free" in page


def test_a_course_without_text_says_so(course, owner):
    dataset = factories.make_dataset(course=course)
    answer = pages(owner).post(f"/datasets/{dataset.pk}/build/")
    assert answer.status_code == 400
    assert "choose a course that holds text" in answer.content.decode()


def test_too_few_examples_to_freeze_says_how_many(course, owner):
    dataset = factories.make_dataset(course=course)
    factories.make_example(dataset=dataset)
    answer = pages(owner).post(
        f"/datasets/{dataset.pk}/versions/new/", {"seed": 0, "validation": 0, "test": 0}
    )
    assert answer.status_code == 400
    assert "1 examples would train" in answer.content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"seed": -1, "validation": 0, "test": 0},
        {"seed": 0, "validation": "NaN", "test": 0},
        {"seed": 0, "validation": 0, "test": 0.6},
    ],
)
def test_a_bad_split_is_told_and_nothing_is_frozen(dataset, owner, fields):
    page = pages(owner).post(f"/datasets/{dataset.pk}/versions/new/", fields, follow=True).content.decode()
    assert 'class="note error"' in page
    assert not Version.objects.exists()


def test_a_bad_data_set_is_shown_again(course, owner):
    page = (
        pages(owner)
        .post(f"/courses/{course.pk}/datasets/", {"title": "", "instructions": "x" * 8001})
        .content.decode()
    )
    assert page.count('class="errorlist') == 2
    assert not Dataset.objects.exists()


def test_title_and_instructions_are_changed(dataset, editor):
    pages(editor).post(f"/datasets/{dataset.pk}/change/", {"title": "New", "instructions": "Be long."})
    assert "New" in shown(editor, f"/datasets/{dataset.pk}/") and "Be long." in shown(
        editor, f"/datasets/{dataset.pk}/"
    )
    page = pages(editor).post(f"/datasets/{dataset.pk}/change/", {"title": ""}, follow=True).content.decode()
    assert 'class="note error"' in page
    assert Dataset.objects.get(pk=dataset.pk).title == "New"


def test_examples_come_by_the_page_and_by_state(dataset, owner):
    for _turn in range(30):
        factories.make_example(dataset=dataset, state="draft")
    address = f"/datasets/{dataset.pk}/"
    assert shown(owner, address).count("/examples/") == 25 + 1  # and the link to write one
    assert "2 / 2" in shown(owner, f"{address}?state=draft&page=2")
    for nonsense in ("?page=0", "?page=999", "?page=x", "?state=x", "?state=draft&page=-1"):
        shown(owner, address + nonsense)


def test_an_example_shows_where_it_stands_in_the_text(dataset, reviewer):
    example = dataset.examples.first()
    citation = example.citations.get()
    page = shown(reviewer, f"/examples/{example.pk}/")
    assert f'href="/texts/{citation.passage.text_id}/#p{citation.passage_id}"' in page
    assert "The text has changed since" not in page
    citation.passage.text.remove()
    assert "The text has changed since" in shown(reviewer, f"/examples/{example.pk}/")


def test_an_example_is_written_by_question_and_answer(dataset, editor):
    answer = pages(editor).post(
        f"/datasets/{dataset.pk}/examples/new/", {"question": "When?", "answer": "At dusk."}
    )
    example = Example.objects.latest("pk")
    assert answer["Location"] == f"/examples/{example.pk}/"
    assert (example.question, example.answer, example.written_by) == ("When?", "At dusk.", editor)


def test_an_example_is_written_as_a_whole_dialogue(dataset, editor):
    messages = [{"role": "system", "content": "Be brief."}, *factories.chat("When?", "At dusk.")]
    pages(editor).post(f"/datasets/{dataset.pk}/examples/new/", {"messages": json.dumps(messages)})
    assert Example.objects.latest("pk").messages == messages


@pytest.mark.parametrize(
    "fields",
    [
        {"question": "", "answer": ""}, {"question": "When?"}, {"question": "When?", "answer": "\u200b"},
        {"messages": "{"}, {"messages": "[]"}, {"messages": "{}"}, {"messages": "[[[["},
        {"messages": '[{"role": "user"}]'},
        {"messages": '[{"role": "user", "content": "a\\u0000"}, {"role": "assistant", "content": "x"}]'},
        {"messages": "[" * 50_000}, {"messages": '[{"role": "user", "role": "user"}]'},
    ],
    ids=lambda fields: ascii(fields)[:50],
)  # fmt: skip
def test_a_bad_example_is_shown_again_with_what_is_wrong(dataset, editor, fields):
    count = dataset.examples.count()
    answer = pages(editor).post(f"/datasets/{dataset.pk}/examples/new/", fields)
    assert answer.status_code == 200
    assert 'class="errorlist' in answer.content.decode()
    assert dataset.examples.count() == count


def test_the_same_words_again_are_400(dataset, editor):
    words = {"question": "When?", "answer": "At dusk."}
    for status in (302, 400):
        assert pages(editor).post(f"/datasets/{dataset.pk}/examples/new/", words).status_code == status


def test_deciding_leads_to_the_next_draft(full_course, reviewer):
    dataset = factories.make_dataset(course=full_course)
    first, second, *_rest = [factories.make_example(dataset=dataset, state="draft") for _turn in range(3)]
    answer = pages(reviewer).post(f"/examples/{first.pk}/approve/", {"note": "Well said."})
    assert answer["Location"] == f"/examples/{second.pk}/"
    page = shown(reviewer, f"/examples/{first.pk}/")
    assert "Well said." in page and "Rex Reviewer" in page
    assert pages(reviewer).post(f"/examples/{first.pk}/approve/").status_code == 409


def test_changed_words_are_a_draft_again(dataset, editor):
    example = dataset.examples.first()
    address = f"/examples/{example.pk}/"
    assert pages(editor).post(address, {"question": "When?", "answer": "At dusk."})["Location"] == address
    assert (Example.objects.get(pk=example.pk).state, Example.objects.get(pk=example.pk).question) == (
        "draft",
        "When?",
    )
    page = pages(editor).post(address, {"question": "", "answer": ""}).content.decode()
    assert 'class="errorlist' in page and Example.objects.get(pk=example.pk).question == "When?"


def test_a_removed_example_is_gone(dataset, editor):
    example = dataset.examples.first()
    assert pages(editor).post(f"/examples/{example.pk}/remove/")["Location"] == f"/datasets/{dataset.pk}/"
    assert pages(editor).get(f"/examples/{example.pk}/").status_code == 404


@pytest.mark.parametrize("content", ["a text", [{"type": "text", "text": "in parts"}]])
def test_a_dialogue_of_any_shape_can_be_read_and_changed(dataset, editor, content):
    example = dataset.write(
        [{"role": "user", "content": content}, {"role": "assistant", "content": "x", "weight": 1}]
    )
    page = shown(editor, f"/examples/{example.pk}/")
    assert ("a text" if content == "a text" else "in parts") in page


def take(person, dataset, data, **more):
    file = SimpleUploadedFile(f"{EVIL}.jsonl", data)
    return (
        pages(person)
        .post(f"/datasets/{dataset.pk}/import/", {"file": file, **more}, follow=True)
        .content.decode()
    )


def test_an_import_leads_to_its_report(dataset, editor):
    row = json.dumps({"messages": factories.chat("When?", "At dusk.")}).encode()
    page = take(editor, dataset, row + b"\n{}\n")
    assert "Nothing was taken" in page and "“messages” must be a list" in page
    page = take(editor, dataset, row + b"\n{}\n", skip_bad="on")
    assert "Nothing was taken" not in page
    assert dataset.examples.filter(origin="imported").count() == 1
    assert EVIL not in page


def test_an_import_of_nothing_says_what_to_choose(dataset, editor):
    page = pages(editor).post(f"/datasets/{dataset.pk}/import/", {}, follow=True).content.decode()
    assert "Choose a JSONL file." in page
    assert "The file is empty." in take(editor, dataset, b"")


def test_hostile_words_of_an_example_are_only_words(course, owner):
    dataset = factories.make_dataset(course=course, title=EVIL, instructions=EVIL)
    example = factories.make_example(
        dataset=dataset, question=EVIL, answer=f'{EVIL} <img src=x onerror="alert(1)">'
    )
    for address in (
        f"/courses/{course.pk}/datasets/",
        f"/datasets/{dataset.pk}/",
        f"/examples/{example.pk}/",
    ):
        page = shown(owner, address)
        assert EVIL not in page and "<img" not in page and "&lt;script&gt;" in page


def test_a_reviewer_sees_no_button_that_is_not_theirs(version, reviewer, editor):
    for address in (f"/datasets/{version.dataset_id}/", f"/versions/{version.pk}/"):
        for word in ("/build/", "/import/", "/versions/new/", f"/versions/{version.pk}/train/"):
            assert word not in shown(reviewer, address)
    assert "/build/" in shown(editor, f"/datasets/{version.dataset_id}/")
    assert f"/versions/{version.pk}/train/" in shown(editor, f"/versions/{version.pk}/")


@pytest.mark.parametrize(
    "address", ["/courses/{course}/datasets/", "/datasets/{dataset}/", "/versions/{version}/"]
)
def test_queries_do_not_grow_with_the_rows(version, owner, address, django_assert_max_num_queries):
    dataset = version.dataset
    for number in range(4):
        factories.make_dataset(course=dataset.course)
        factories.make_version(dataset=dataset, seed=number)
        factories.make_model()
    browser = pages(owner)
    with django_assert_max_num_queries(15):
        browser.get(address.format(course=dataset.course_id, dataset=dataset.pk, version=version.pk))
