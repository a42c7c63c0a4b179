"""A worse answer beside the good one: on the page, through the API, in the files."""

import json

import pytest

from datasets.freezing import freeze
from datasets.models import Example
from tests import doors, factories

CHAT = factories.chat("When is it lit?", "At dusk.")
WORSE = {"role": "assistant", "content": "At noon."}


@pytest.fixture
def dataset(course):
    return factories.make_dataset(course=course)


def test_a_worse_answer_is_written_shown_and_taken_away_on_the_page(client, editor, dataset):
    client.force_login(editor)
    asked = {"question": "When is it lit?", "answer": "At dusk.", "worse": "At noon."}
    page = client.post(f"/datasets/{dataset.pk}/examples/new/", asked, follow=True)
    example = Example.objects.get()
    assert example.rejected == WORSE
    assert "A worse answer" in page.content.decode() and "At noon." in page.content.decode()
    client.post(f"/examples/{example.pk}/", asked | {"worse": " "})
    example.refresh_from_db()
    assert example.rejected is None


def test_the_same_words_twice_are_refused_beside_the_form(client, editor, dataset):
    client.force_login(editor)
    asked = {"question": "When is it lit?", "answer": "At dusk.", "worse": "At dusk."}
    page = client.post(f"/datasets/{dataset.pk}/examples/new/", asked)
    assert page.status_code == 200 and "are the same" in page.content.decode()
    assert not Example.objects.exists()


def test_the_api_takes_and_tells_it_and_keeps_it_where_it_is_not_named(editor, dataset):
    api = doors.api(editor)
    made = api.post(
        f"/api/datasets/{dataset.pk}/examples/", {"messages": CHAT, "rejected": WORSE}, format="json"
    )
    assert (made.status_code, made.data["rejected"]) == (201, WORSE)
    at = f"/api/examples/{made.data['id']}/"
    other = factories.chat("When is it lit?", "At sunset.")
    assert api.patch(at, {"messages": other}, format="json").data["rejected"] == WORSE
    assert api.patch(at, {"messages": other, "rejected": None}, format="json").data["rejected"] is None
    for bad in (
        {"role": "user", "content": "x"},
        {"role": "assistant"},
        {"x": 1},
        {"role": "assistant", "content": "\x00"},
    ):
        answer = api.patch(at, {"messages": other, "rejected": bad}, format="json")
        assert answer.status_code == 400, bad


def test_the_preferences_of_a_version_are_a_file_of_their_own(client, owner, dataset):
    for number in range(14):
        chat = factories.chat(f"What of {factories.unlike(number)}?", factories.unlike(number + 99))
        dataset.write(chat, by=owner, rejected=WORSE if number % 2 else None)
    dataset.approve_drafts(by=owner)
    version = freeze(dataset, by=owner, validation=0, test=0)
    client.force_login(owner)
    lines = client.get(f"/versions/{version.pk}/files/train/?preferences=1").content.splitlines()
    assert len(lines) == 7 and all("non_preferred_output" in json.loads(line) for line in lines)
    assert (
        "7 training examples have a worse answer" in client.get(f"/versions/{version.pk}/").content.decode()
    )
