"""The verbs as actions: one person's act on several rows, each refused or done by itself and on the trail."""

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.models import AuditEntry, Token, User
from accounts.tokens import make_token
from evaluation.models import Evaluation
from finetuning import polling
from finetuning.models import Job
from providers.models import Provider
from tests import factories
from tests.admin.rows import run
from tests.doors import api, pages


@pytest.fixture
def client(root):
    return pages(root)


def acts_of(person):
    return set(AuditEntry.objects.filter(actor=person).values_list("action", flat=True))


def test_jobs_are_cancelled_and_tried_again(client, root, version, owner):
    job = factories.make_job(version=version, by=owner)
    run(client, job, "cancel")
    told = run(client, job, "cancel").content.decode()
    assert "cannot become" in told
    run(client, job, "retry")
    assert Job.objects.get(retry_of=job).by == root
    assert {"job.cancel", "job.start"} <= acts_of(root)


def test_a_paid_job_is_approved_but_not_by_who_asked(client, root, version, course, owner):
    course.set_two_person(True, by=owner)
    version.refresh_from_db()
    factories.make_budget(course=course, limit="100")
    job = Job.objects.start(version, factories.make_model(), by=root)
    assert "Who asks cannot approve" in run(client, job, "approve").content.decode()
    another = factories.make_user(is_staff=True, is_superuser=True)
    run(pages(another), job, "approve")
    job.refresh_from_db()
    assert job.state == "intended" and "job.approve" in acts_of(another)


def test_the_two_person_rule_is_put_in_force_and_lifted(client, root, course):
    for action, there in [("put_in_force", True), ("lift", False)]:
        run(client, course, action)
        course.refresh_from_db()
        assert course.two_person is there
    told = AuditEntry.objects.filter(actor=root, action="course.two_person", course_id=course.pk)
    assert list(told.order_by("pk").values_list("after", flat=True)) == [True, False]


def test_programs_are_ended_once(client, root, course, owner):
    program = course.add_service("Grader", "editor", by=owner)
    _row, secret = make_token(program, 3, courses=[course], by=owner)
    run(client, program, "retire")
    run(client, program, "retire")
    program.refresh_from_db()
    assert not program.is_active and not course.memberships.filter(user=program).exists()
    door = api()
    door.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert door.get("/api/courses/").status_code == 401
    assert AuditEntry.objects.filter(actor=root, action="service.retire").count() == 1


def test_evaluations_are_cancelled(client, version, owner):
    tuned = factories.make_tuned_model(version=version)
    evaluation = Evaluation.objects.start(tuned, by=owner)
    run(client, evaluation, "cancel")
    evaluation.refresh_from_db()
    assert evaluation.state == "cancelled"


def test_assistants_go_through_all_their_states(client, version):
    assistant = factories.make_assistant(tuned_model=factories.make_tuned_model(version=version))
    for action, state in [
        ("publish", "published"), ("withdraw", "draft"), ("archive", "archived"), ("publish", "archived"),
        ("restore", "draft"),
    ]:  # fmt: skip
        run(client, assistant, action)
        assistant.refresh_from_db()
        assert assistant.state == state


def test_examples_are_approved_and_rejected(client, root, dataset):
    one, two = dataset.examples.order_by("pk")[:2]
    run(client, one, "reject", two)
    assert {row.state for row in dataset.examples.filter(pk__in=[one.pk, two.pk])} == {"rejected"}
    run(client, one, "approve")
    one.refresh_from_db()
    assert one.state == "approved" and one.reviews.first().person == root


def test_tokens_and_invitations_are_taken_back(client, root, course, owner):
    row, secret = make_token(owner, 3)
    program = api()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert program.get("/api/courses/").status_code == 200
    run(client, row, "revoke")
    assert not Token.objects.exists() and program.get("/api/courses/").status_code == 401
    invitation, _secret = course.invite("guest@example.org", "student", by=owner)
    run(client, invitation, "revoke")
    invitation.refresh_from_db()
    assert invitation.revoked and {"token.revoke", "invitation.revoke"} <= acts_of(root)


def test_people_are_forgotten_but_not_the_last_owner(client, root, course, owner, editor):
    told = run(client, owner, "forget", editor).content.decode()
    assert "needs an owner" in told
    assert User.objects.get(pk=owner.pk).is_active
    gone = User.objects.get(pk=editor.pk)
    assert gone.forgotten and not gone.is_active and "person.forget" in acts_of(root)
    assert client.post(f"/admin/accounts/user/{gone.pk}/change/", {"is_active": "on"}).status_code == 403


def test_a_lost_second_factor_is_turned_off(client, root, editor):
    Authenticator.objects.create(user=editor, type="totp", data={"secret": "x"})
    run(client, editor, "take_second_factor")
    assert not Authenticator.objects.exists() and "second_factor.remove" in acts_of(root)


def test_a_key_is_encrypted_anew(client, root, db):
    row = factories.make_provider(key="sk-some-key-of-a-provider")
    before = sealed(row)
    run(client, row, "rotate")
    assert sealed(row) != before and Provider.objects.get(pk=row.pk).key == "sk-some-key-of-a-provider"
    assert "provider.rotate_key" in acts_of(root)


@pytest.mark.parametrize("key", ["x", "", "9" * 40, "\0", "1.5"])
@pytest.mark.parametrize("path", ["finetuning/job", "courses/course", "accounts/user"])
def test_a_key_that_is_none_is_a_bad_request(client, db, path, key):
    form = {"action": "cancel", "_selected_action": [key]}
    assert client.post(f"/admin/{path}/", form).status_code == 400


def sealed(provider):
    """The key as it stands in the database."""
    table = Provider.objects.extra(select={"raw": "providers_provider.key"})
    return table.values_list("raw", flat=True).get(pk=provider.pk)


@pytest.fixture
def sent(version, there, owner):
    """A job that runs at a provider which can do everything."""
    provider = factories.make_provider(kind="openai", base_url=there.base_url)
    job = factories.make_job(
        version=version, model=factories.make_model(provider=provider, train="0"), by=owner
    )
    polling.sweep()
    there.jobs[Job.objects.get(pk=job.pk).remote_id]["status"] = "running"
    return job


def sweep(job):
    Job.objects.update(next_poll_at=timezone.now())
    polling.sweep()
    job.refresh_from_db()


def test_jobs_are_paused_and_go_on(client, root, sent):
    run(client, sent, "pause")
    sweep(sent)
    sweep(sent)
    assert sent.state == "paused"
    run(client, sent, "resume")
    assert {"job.pause", "job.resume"} <= acts_of(root)


def test_jobs_without_a_row_are_named(client, sent, there):
    assert "has none" in run(client, sent, "look_for_orphans").content.decode()
    strange = there.add_job(metadata={"op": "1f"}, status="running")["id"]
    assert strange in run(client, sent, "look_for_orphans").content.decode()
    there.when("GET /fine_tuning/jobs", status=401, error={"message": "Wrong key."})
    assert "Wrong key" in run(client, sent, "look_for_orphans").content.decode()


def test_checkpoints_become_models_and_models_are_deployed_and_taken_down(client, root, sent, there):
    sweep(sent)
    there.finish(sent.remote_id)
    sweep(sent)
    checkpoint = sent.checkpoints.get(step=4)
    run(client, checkpoint, "promote")
    made = sent.tuned_models.get(checkpoint=checkpoint)
    assert made.deployment.name == checkpoint.model_name
    run(client, made.deployment, "take_down")
    assert made.deployment is None
    run(client, made, "deploy")
    assert made.deployment.by == root
