"""Rows in every table, and staff who may do this and that with them."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission

from accounts.tokens import make_token
from assistants.models import Conversation, Message, Quota
from courses.models import CourseGroupPermission
from evaluation.models import Evaluation
from finetuning.models import Event
from providers.models import Delivery, Hook, Upload
from tests import factories

APPS = ("accounts", "courses", "providers", "datasets", "finetuning", "evaluation", "assistants")
MODELS = [each for app in APPS for each in apps.get_app_config(app).get_models()]


def address(model):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def allow(person, *names):
    """Permissions of the admin, as "providers.change_budget"."""
    for name in names:
        app, codename = name.split(".")
        person.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return type(person).objects.get(pk=person.pk)


def fill(owner, number):
    """A course with a row in every table below it, and one more of what stands beside courses."""
    course = factories.make_course(owner=owner, title=f"Course {number}")
    for name in factories.TEXTS:
        factories.make_text(course=course, name=name, by=owner)
    dataset = factories.make_dataset(course=course, title=f"Set {number}", by=owner)
    dataset.build(by=owner)
    dataset.approve_drafts(by=owner)
    dataset.take_in("bad.jsonl", b"{}", by=owner)
    job = factories.make_job(version=factories.make_version(dataset=dataset, by=owner), by=owner)
    model, provider = job.model, job.model.provider
    tuned = factories.make_tuned_model(job=job)
    Event.objects.create(job=job, remote_id="e1", type="message", message="Step 1", at=job.created)
    job.metrics.create(step=1, name="train_loss", value=1.5)
    job.checkpoints.create(step=1, remote_id="c1", model_name="ft:1")
    evaluation = Evaluation.objects.start(tuned, by=owner)
    evaluation.verdicts.create(metric="chrf", examples=1, base=1, tuned=2, low=0, high=2, outcome="better")
    assistant = factories.make_assistant(tuned_model=tuned, by=owner)
    conversation = Conversation.objects.create(assistant=assistant, user=owner)
    message = Message.objects.create(conversation=conversation, side="tuned", text="Oil.")
    message.feedback.create(user=owner, good=True)
    Quota.objects.create(course=course, month="2026-11-01", limit=100)
    factories.make_budget(course=course)
    Upload.objects.create(provider=provider, sha256="a" * 64, remote_id=f"file-{number}", bytes=9)
    Delivery.objects.create(provider=provider, webhook_id=f"wh_{number}")
    hook, _secret = Hook.objects.point(course, f"http://127.0.0.1:9/{number}", by=owner)
    hook.test(by=owner)
    fill_people(course, owner, number)
    assert model.prices.exists()
    return course


def fill_people(course, owner, number):
    course.invite(f"guest{number}@example.org", "student", by=owner)
    course.set_role(factories.make_user(name=f"Member {number}"), "student", by=owner)
    make_token(owner, 3, courses=[course])
    course.add_service(f"Program {number}", "editor", by=owner)
    seeing = Permission.objects.get(codename="view_course", content_type__app_label="courses")
    group = Group.objects.create(name=f"Group {number}")
    CourseGroupPermission.objects.create(group=group, content_object=course, permission=seeing)


def run(client, row, action, *rows, **more):
    """The list after an action on rows, with what it says."""
    form = {"action": action, "_selected_action": [each.pk for each in (row, *rows)], **more}
    return client.post(address(type(row)), form, follow=True)
