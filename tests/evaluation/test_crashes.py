"""An error on our side stays with its evaluation."""

from evaluation.answering import sweep
from evaluation.models import Answer, Evaluation
from tests import factories


def test_one_that_crashes_does_not_stop_another(version, tuned, learnt, there):
    job = factories.make_job(version=version, model=tuned.job.model, seed=7)
    broken = Evaluation.objects.start(tuned)
    other = Evaluation.objects.start(factories.make_tuned_model(job=job, name="ft:tiny:2"))
    row = Answer.objects.filter(arm__evaluation=broken).first().example
    type(row).objects.filter(pk=row.pk).update(line="{broken")
    Answer.objects.filter(arm__evaluation=other, example=row).delete()
    assert sweep() == 2
    broken.refresh_from_db()
    other.refresh_from_db()
    assert other.state == "done"
    assert (broken.state, broken.attempts, broken.lease_until) == ("running", 1, None)
