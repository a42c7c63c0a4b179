"""Under the two-person rule a paid job waits for another owner or staff, and nothing is sent before."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User
from accounts.tokens import make_token
from common.states import IllegalMove, Refused
from finetuning import polling
from finetuning.models import Deployment, Job
from providers.models import Budget
from tests import factories
from tests.common.crowd import at_once
from tests.doors import api, pages


@pytest.fixture
def second(course, owner):
    """Another owner of the course."""
    person = factories.make_user(name="Otto Owner", email="otto@example.org")
    course.set_role(person, "owner", by=owner)
    return person


@pytest.fixture
def paid(provider, course):
    factories.make_budget(course=course, limit="100")
    return factories.make_model(provider=provider, train="3")


@pytest.fixture
def job(version, course, paid, editor, staff):
    """Asked for by an editor, under the rule."""
    course.set_two_person(True, by=staff)
    version.refresh_from_db()
    return Job.objects.start(version, paid, by=editor)


def test_a_paid_job_waits_with_its_money_held_and_nothing_sent(job, there):
    assert job.state == "proposed" and job.next_poll_at is None
    assert Budget.objects.get().held == job.ledger.reserved > 0
    polling.sweep()
    job.refresh_from_db()
    assert job.state == "proposed" and there.requests == []
    assert AuditEntry.objects.filter(action="job.propose", actor=job.by).exists()


def test_a_second_owner_approves_on_the_page_and_the_sweep_sends_it(job, there, second):
    page = pages(second).get(f"/jobs/{job.pk}/").content.decode()
    assert "Approve and start" in page and "Eva Editor asks" in page
    assert pages(second).post(f"/jobs/{job.pk}/approve/").status_code == 302
    polling.sweep()
    assert len(there.asked("POST /fine_tuning/jobs")) == 1
    assert [move.by for move in Job.objects.get().moves.all()][:2] == [job.by, second]


def test_staff_approve_by_the_api(job, staff):
    answer = api(staff).post(f"/api/jobs/{job.pk}/approve/")
    assert (answer.status_code, answer.json()["state"]) == (200, "intended")


def test_who_asks_does_not_approve_even_as_an_owner(version, course, paid, owner, staff):
    course.set_two_person(True, by=owner)
    version.refresh_from_db()
    job = Job.objects.start(version, paid, by=owner)
    page = pages(owner).get(f"/jobs/{job.pk}/").content.decode()
    assert "Approve and start" not in page and "Another owner or staff must approve it" in page
    assert api(owner).post(f"/api/jobs/{job.pk}/approve/").status_code == 400
    assert Job.objects.get().state == "proposed"


def test_a_program_does_not_approve(job, course, owner):
    program = course.add_service("Sync", "editor", by=owner)
    with pytest.raises(Refused, match="program"):
        job.approve(by=program)


@pytest.mark.parametrize(
    ("who", "status"), [("editor", 403), ("reviewer", 403), ("student", 404), ("stranger", 404)]
)
def test_others_do_not_approve(request, job, who, status):
    person = request.getfixturevalue(who)
    assert api(person).post(f"/api/jobs/{job.pk}/approve/").status_code == status
    assert pages(person).post(f"/jobs/{job.pk}/approve/").status_code == status
    assert Job.objects.get().state == "proposed"


def test_a_token_that_may_train_does_not_approve(job, second):
    client = api()
    secret = make_token(second, 1, ["read", "train"])[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.post(f"/api/jobs/{job.pk}/approve/").status_code == 403


def test_the_list_says_who_asks_and_offers_what_its_reader_may_do(job, course, editor, second, reviewer):
    offered = {
        "Approve and start": [second],
        "Decline": [second],
        "Take the request back": [editor],
        "asked for by Eva Editor": [reviewer],
    }
    shown = {
        person: pages(person).get(f"/courses/{course.pk}/jobs/").content.decode()
        for person in (second, editor, reviewer)
    }
    for words, people in offered.items():
        everyone = shown if words.startswith("asked") else people
        assert {person for person in shown if words in shown[person]} == set(everyone), words
    assert all("waiting for approval" in page for page in shown.values())


def test_declining_gives_the_money_back(job, second, there):
    pages(second).post(f"/jobs/{job.pk}/cancel/")
    entry = AuditEntry.objects.get(action="job.decline")
    assert (entry.actor, entry.before, entry.course_id) == (second, "proposed", job.course.pk)
    job.refresh_from_db()
    assert job.state == "cancelled" and Budget.objects.get().held == 0 and there.requests == []
    with pytest.raises(IllegalMove):
        job.approve(by=second)


def test_a_free_job_waits_for_nobody(version, course, owner):
    course.set_two_person(True, by=owner)
    version.refresh_from_db()
    assert factories.make_job(version=version, by=owner).state == "intended"


def test_the_rule_does_not_touch_what_runs_already(version, course, paid, owner):
    job = Job.objects.start(version, paid, by=owner)
    course.set_two_person(True, by=owner)
    assert Job.objects.get(pk=job.pk).state == "intended"


@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_at_once_one_wins(job, second, staff):
    people = [second, staff]

    def approve():
        try:
            Job.objects.get().approve(by=people.pop())
        except IllegalMove:
            return "late"

    assert sorted(map(str, at_once(2, approve))) == ["None", "late"]
    assert Job.objects.get().moves.filter(state="intended").count() == 1


def test_the_command_says_that_the_job_waits(full_course, paid, owner, staff, tmp_path):
    full_course.set_two_person(True, by=staff)
    (tmp_path / "lamp.md").write_text(factories.TEXTS["lamp.md"])
    with pytest.raises(CommandError, match="waits for approval"):
        call_command(
            "tune", str(tmp_path), title=full_course.title, owner=owner.email, provider=paid.provider.name,
            personal_ok=True,
        )  # fmt: skip
    assert User.objects.filter(pk=owner.pk).exists()


def test_what_a_program_asks_for_only_staff_approve(version, course, paid, owner, second, staff):
    course.set_two_person(True, by=staff)
    version.refresh_from_db()
    program = course.add_service("Nightly", "editor", by=owner)
    job = Job.objects.start(version, paid, by=program)
    with pytest.raises(Refused, match="staff must approve"):
        job.approve(by=second)
    job.approve(by=staff)
    assert job.state == "intended"


def test_a_deployment_that_costs_is_put_up_by_staff(version, course, owner, staff, there):
    provider = factories.make_provider(kind="nebius", base_url=there.base_url)
    model = factories.make_model(provider=provider, train="0", answer="0")
    tuned = factories.make_tuned_model(job=factories.make_job(version=version, model=model, by=owner))
    model.prices.create(what="hosting", amount="0.1", valid_from="2026-01-01", source="a test")
    factories.make_budget(course=course, limit="100")
    course.set_two_person(True, by=staff)
    tuned = type(tuned).objects.get(pk=tuned.pk)
    with pytest.raises(Refused, match="two-person rule"):
        Deployment.objects.start(tuned, by=owner)
    assert Deployment.objects.start(tuned, by=staff).state == "requested"
