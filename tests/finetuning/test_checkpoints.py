"""A checkpoint as a model of its own, through all doors."""

import pytest

from accounts.models import AuditEntry
from finetuning.models import TunedModel
from tests import doors


@pytest.fixture
def checkpoint(running, there, sweep):
    job, _remote = running
    there.finish(job.remote_id)
    sweep(job)
    return job.checkpoints.get(step=4)


def test_it_is_promoted_once_and_can_be_called(checkpoint, editor):
    made = checkpoint.promote(by=editor)
    assert (made.name, made.checkpoint) == (checkpoint.model_name, checkpoint)
    assert made.deployment.name == checkpoint.model_name
    assert checkpoint.promote(by=editor) == made
    assert TunedModel.objects.count() == 2 and checkpoint.job.tuned != made
    assert AuditEntry.objects.filter(action="checkpoint.promote").count() == 1


def test_the_page_of_the_job_has_the_button_for_those_who_train(checkpoint, editor, reviewer):
    address = f"/checkpoints/{checkpoint.pk}/promote/"
    assert address not in doors.pages(reviewer).get(f"/jobs/{checkpoint.job_id}/").content.decode()
    page = doors.pages(editor)
    assert address in page.get(f"/jobs/{checkpoint.job_id}/").content.decode()
    answer = page.post(address, follow=True)
    shown = answer.content.decode()
    assert "is a model of its own now" in shown and address not in shown
    assert doors.pages(reviewer).post(address).status_code == 403


def test_the_api_answers_with_the_model(checkpoint, editor, stranger):
    answer = doors.api(editor).post(f"/api/checkpoints/{checkpoint.pk}/promote/")
    assert (answer.status_code, answer.data["name"]) == (201, checkpoint.model_name)
    assert doors.api(stranger).post(f"/api/checkpoints/{checkpoint.pk}/promote/").status_code == 404
