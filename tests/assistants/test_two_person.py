"""Under the two-person rule a publication waits for another owner or staff; and the archive."""

import pytest

from accounts.models import AuditEntry
from assistants.models import Assistant
from common.states import IllegalMove, Refused
from tests import factories
from tests.common.crowd import at_once
from tests.doors import api, pages


@pytest.fixture
def proposed(draft, course, owner):
    course.set_two_person(True, by=owner)
    draft = Assistant.objects.get(pk=draft.pk)
    draft.publish(by=owner)
    return draft


@pytest.fixture
def second(course, owner):
    person = factories.make_user(name="Otto Owner")
    course.set_role(person, "owner", by=owner)
    return person


def state():
    return Assistant.objects.get().state


def test_publishing_asks_and_students_do_not_see_it_yet(proposed, owner, student):
    assert state() == "proposed" and proposed.proposed_by == owner
    assert AuditEntry.objects.filter(action="assistant.proposed", actor=owner).exists()
    assert not Assistant.objects.visible_to(student).exists()
    page = pages(owner).get(f"/assistants/{proposed.pk}/").content.decode()
    assert "Another owner or staff must approve it" in page and "Approve the publication" not in page


def test_the_page_offers_each_person_what_they_may_do(proposed, owner, second, editor):
    buttons = {
        owner: {"Take the request back", "Archive"},
        second: {"Approve the publication", "Decline", "Archive"},
        editor: set(),
    }
    for person, offered in buttons.items():
        page = pages(person).get(f"/assistants/{proposed.pk}/").content.decode()
        assert {each for each in set().union(*buttons.values()) if f">{each}</button>" in page} == offered
        assert ("Olga Owner asks for its publication" in page) == (person != owner)


def test_the_draft_says_that_publishing_is_only_asked_for(draft, course, owner):
    where, ask = f"/assistants/{draft.pk}/", "Ask to publish it to everyone on the course"
    assert ask not in pages(owner).get(where).content.decode()
    course.set_two_person(True, by=owner)
    assert ask in pages(owner).get(where).content.decode()


def test_a_second_owner_approves_on_the_page(proposed, second, student):
    assert "Approve the publication" in pages(second).get(f"/assistants/{proposed.pk}/").content.decode()
    pages(second).post(f"/assistants/{proposed.pk}/approve/")
    assert state() == "published" and Assistant.objects.visible_to(student).exists()
    entry = AuditEntry.objects.get(action="assistant.published")
    assert (entry.actor, entry.before, entry.after) == (second, "proposed", "published")


def test_staff_approve_by_the_api_and_the_asker_does_not(proposed, owner, staff):
    assert api(owner).post(f"/api/assistants/{proposed.pk}/approve/").status_code == 400
    assert state() == "proposed"
    assert api(staff).post(f"/api/assistants/{proposed.pk}/approve/").json()["state"] == "published"


def test_after_a_withdrawal_it_is_asked_anew(proposed, owner, second):
    proposed.approve(by=second)
    proposed.withdraw(by=owner)
    proposed.publish(by=second)
    assert state() == "proposed"
    assert api(second).post(f"/api/assistants/{proposed.pk}/approve/").status_code == 400


def test_a_publication_is_declined(proposed, second):
    pages(second).post(f"/assistants/{proposed.pk}/withdraw/")
    assert state() == "draft"
    entry = AuditEntry.objects.get(action="assistant.draft")
    assert (entry.actor, entry.before, entry.after) == (second, "proposed", "draft")


def test_who_has_asked_anew_does_not_approve_what_another_asked_for_before(proposed, second):
    as_it_was = Assistant.objects.get(pk=proposed.pk)
    proposed.withdraw(by=second)
    proposed.publish(by=second)
    with pytest.raises(Refused, match="Who asks cannot approve"):
        as_it_was.approve(by=second)
    assert state() == "proposed"


def test_a_program_does_not_approve(proposed, course, owner):
    program = course.add_service("Sync", "editor", by=owner)
    with pytest.raises(Refused, match="program"):
        proposed.approve(by=program)
    assert state() == "proposed"


def test_the_rule_does_not_touch_what_is_published_already(draft, course, owner, student):
    draft.publish(by=owner)
    course.set_two_person(True, by=owner)
    assert state() == "published" and Assistant.objects.visible_to(student).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_at_once_one_wins(proposed, second, staff):
    people = [second, staff]

    def approve():
        try:
            Assistant.objects.get().approve(by=people.pop())
        except IllegalMove:
            return "late"

    assert sorted(map(str, at_once(2, approve))) == ["None", "late"]
    assert AuditEntry.objects.filter(action="assistant.published").count() == 1


@pytest.mark.parametrize(
    ("who", "status"), [("editor", 403), ("reviewer", 403), ("student", 404), ("stranger", 404)]
)
def test_others_do_not_approve(request, proposed, who, status):
    person = request.getfixturevalue(who)
    assert api(person).post(f"/api/assistants/{proposed.pk}/approve/").status_code == status
    assert state() == "proposed"


def test_what_waits_for_nobody_cannot_be_approved(draft, staff):
    assert api(staff).post(f"/api/assistants/{draft.pk}/approve/").status_code == 409
    assert state() == "draft"


@pytest.mark.parametrize("door", [api, pages])
def test_an_assistant_is_put_away_and_taken_out_again(draft, owner, student, door):
    where = ("/api" if door is api else "") + f"/assistants/{draft.pk}"
    draft.publish(by=owner)
    assert door(owner).post(f"{where}/archive/").status_code in (200, 302)
    assert state() == "archived" and not Assistant.objects.visible_to(student).exists()
    assert door(owner).post(f"{where}/archive/").status_code == 409
    assert door(owner).post(f"{where}/restore/").status_code in (200, 302)
    assert state() == "draft"


def test_an_archived_one_is_not_published_past_the_draft(draft, owner):
    draft.archive(by=owner)
    assert api(owner).post(f"/api/assistants/{draft.pk}/publish/").status_code == 409
