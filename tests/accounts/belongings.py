"""One row of every model that belongs to a course."""

from django.utils import timezone

from assistants.models import Conversation, Feedback, Quota
from courses.models import Membership, Notice, Section
from datasets.models import Generation
from evaluation.models import Evaluation
from finetuning.models import Checkpoint
from providers.models import Hook, LedgerEntry
from tests import factories


def a_row_of_each_model(dataset, version, owner, student):
    """All of them below the data set's course."""
    course = dataset.course
    text = course.sections.filter(texts__isnull=False).first().texts.first()
    example = dataset.examples.first()
    job = factories.make_job(version=version, by=owner)
    event = job.events.create(remote_id="e1", type="message", message="begun", at=timezone.now())
    metric = job.metrics.create(step=1, name="train_loss", value=1.5)
    checkpoint = Checkpoint.objects.create(job=job, remote_id="c1", step=1, model_name="ft:1")
    tuned = factories.make_tuned_model(job=job)
    evaluation = Evaluation.objects.start(tuned, by=owner)
    arm = evaluation.arms.first()
    verdict = evaluation.verdicts.create(
        metric="chrf", examples=1, base=1, tuned=2, low=0, high=2, outcome="unclear"
    )
    assistant = factories.make_assistant(tuned_model=tuned, by=owner)
    conversation = Conversation.objects.create(assistant=assistant, user=owner)
    message = conversation.messages.create(side="asked", text="When is the lamp lit?")
    hook, _secret = Hook.objects.point(course, "http://127.0.0.1:9/told", by=owner)
    return [
        course, text, dataset, example, version, job, event, metric, checkpoint, tuned,
        Membership.objects.get(course=course, user=student), course.invite("new@example.org", "editor", by=owner)[0], Section.objects.of(course).first(),
        text.passages.first(), example.citations.first(), example.reviews.first(),
        Generation.objects.of(course).first(), dataset.take_in("bad.jsonl", b"{}"),
        version.examples.first(), factories.make_budget(course=course), LedgerEntry.objects.of(course).first(),
        tuned.deployment, evaluation, arm, arm.answers.first(), verdict, assistant, conversation, message,
        course.add_service(f"Sync of {course}", "editor", by=owner),
        Feedback.objects.create(message=message, user=owner, good=True),
        Quota.objects.create(course=course, month=timezone.localdate(), limit=5),
        Notice.objects.of(course).first(), hook, hook.test(by=owner),
    ]  # fmt: skip
