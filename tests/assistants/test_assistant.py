"""Making, publishing and withdrawing an assistant, on its pages and through the API."""

import pytest

from accounts.models import AuditEntry
from assistants.models import Assistant
from common.states import IllegalMove
from finetuning.models import Deployment
from tests import factories
from tests.doors import api, pages


def seen(person):
    return set(Assistant.objects.visible_to(person))


def test_a_new_one_is_a_draft_with_the_instructions_it_was_trained_on(tuned, owner, course):
    assistant = Assistant.objects.start(tuned, by=owner)
    assert (assistant.state, assistant.course, assistant.title) == ("draft", course, "The lighthouse")
    assert assistant.instructions == factories.INSTRUCTIONS
    assert assistant.deployment.name == "ft:tiny:course" and assistant.base.name == "tiny"


def test_publishing_and_withdrawing_are_written_down(draft, owner):
    draft.publish(by=owner)
    assert draft.state == "published"
    draft.withdraw(by=owner)
    assert draft.state == "draft"
    told = AuditEntry.objects.filter(actor=owner, action__startswith="assistant.").order_by("pk")
    assert [entry.action for entry in told] == ["assistant.start", "assistant.published", "assistant.draft"]


def test_illegal_moves_are_refused(draft, owner):
    with pytest.raises(IllegalMove):
        draft.withdraw(by=owner)
    draft.publish(by=owner)
    with pytest.raises(IllegalMove):
        draft.publish(by=owner)
    assert Assistant.objects.get().state == "published"


@pytest.mark.parametrize("door", [api, pages])
def test_illegal_moves_are_409_at_either_door(draft, owner, door):
    where = ("/api" if door is api else "") + f"/assistants/{draft.pk}"
    assert door(owner).post(f"{where}/withdraw/").status_code == 409
    assert door(owner).post(f"{where}/publish/").status_code in (200, 302)
    assert door(owner).post(f"{where}/publish/").status_code == 409


def test_students_see_it_once_it_is_published(
    draft, owner, editor, reviewer, staff, student, stranger, inactive
):
    for person in (owner, editor, reviewer, staff):
        assert seen(person) == {draft}
    assert seen(student) == seen(stranger) == set()
    draft.publish(by=owner)
    assert seen(student) == {draft}
    assert seen(stranger) == seen(inactive) == set()
    draft.withdraw(by=owner)
    assert seen(student) == set()


REQUESTS = [
    # method, address, who may while it is a draft, which a student does not find
    ("get", "/assistants/{assistant}/", "oer"),
    ("post", "/models/{tuned}/assistant/", "o"),
    ("post", "/assistants/{assistant}/publish/", "o"),
    ("get", "/api/assistants/{assistant}/", "oer"),
    ("post", "/api/models/{tuned}/assistants/", "o"),
    ("post", "/api/assistants/{assistant}/publish/", "o"),
]


@pytest.mark.parametrize(("method", "where", "may"), REQUESTS)
def test_who_may_what(draft, tuned, owner, editor, reviewer, student, stranger, method, where, may):
    where = where.format(assistant=draft.pk, tuned=tuned.pk)
    door = api if where.startswith("/api") else pages
    for letter, person in {"r": reviewer, "e": editor, "o": owner}.items():
        status = getattr(door(person), method)(where).status_code
        assert status in ((200, 201, 302) if letter in may else (403,)), person
    Assistant.objects.update(state="draft")
    for person in (student, stranger):
        assert getattr(door(person), method)(where).status_code == 404
    assert getattr(door(), method)(where).status_code == (401 if door is api else 302)


@pytest.mark.parametrize("where", ["/assistants/{}/{}/", "/api/assistants/{}/{}/"])
@pytest.mark.parametrize("verb", ["publish", "withdraw"])
def test_who_may_only_chat_moves_nothing(draft, owner, student, where, verb):
    draft.publish(by=owner)
    door = api if where.startswith("/api") else pages
    assert door(student).post(where.format(draft.pk, verb)).status_code == 403
    assert Assistant.objects.get().state == "published"


def test_the_api_makes_one_with_a_title_and_lists_it(tuned, owner, course, student):
    answer = api(owner).post(f"/api/models/{tuned.pk}/assistants/", {"title": "The keeper"})
    row = answer.json()
    assert answer.status_code == 201
    assert (row["title"], row["state"], row["model"]) == ("The keeper", "draft", f"assistant-{row['id']}")
    where = f"/api/courses/{course.pk}/assistants/"
    assert api(student).get(where).json()["results"] == []
    published = api(owner).post(f"/api/assistants/{row['id']}/publish/").json()
    assert api(student).get(where).json()["results"] == [published]


def test_a_title_that_is_too_long_is_400(tuned, owner):
    answer = api(owner).post(f"/api/models/{tuned.pk}/assistants/", {"title": "x" * 201})
    assert answer.status_code == 400 and "title" in answer.json()


def test_a_model_that_is_deployed_nowhere_becomes_none(tuned, owner):
    tuned.deployments.update(state=Deployment.State.ENDED)
    assert pages(owner).post(f"/models/{tuned.pk}/assistant/").status_code == 400
    assert not Assistant.objects.exists()


def test_the_list_tells_each_person_theirs(draft, course, owner, student, stranger):
    where, link = f"/courses/{course.pk}/assistants/", f'href="/assistants/{draft.pk}/"'
    page = pages(owner).get(where).content.decode()
    assert link in page and f"/models/{draft.deployment.tuned_model_id}/assistant/" in page
    page = pages(student).get(where).content.decode()
    assert link not in page and "ft:tiny:course" not in page and "No assistant yet" in page
    assert pages(stranger).get(where).status_code == 404
    draft.publish(by=owner)
    page = pages(student).get(where).content.decode()
    assert link in page and "/assistant/" not in page


@pytest.mark.parametrize("address", ["/courses/{}/assistants/", "/assistants/{}/"])
def test_a_page_that_only_shows_takes_no_post(draft, course, owner, address):
    address = address.format(course.pk if "courses" in address else draft.pk)
    assert pages(owner).post(address).status_code == 405
    assert pages(owner).head(address).status_code == 200
