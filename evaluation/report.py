"""What an evaluation says, for page, API and command line alike."""

from dataclasses import dataclass

from finetuning.models import Metric


@dataclass
class Sample:
    """One held-out example with both answers; `gain` is tuned minus base in chrF points."""

    question: str
    reference: str
    base: object
    tuned: object

    @property
    def gain(self):
        return self.tuned.scores["chrf"] - self.base.scores["chrf"]


def samples(evaluation) -> list[Sample]:
    """All examples that both sides have answered, the greatest gain first."""
    base, tuned = (
        {row.example_id: row for row in arm.answers.exclude(answered=None).select_related("example__version")}
        for arm in evaluation.arms.order_by("side")
    )
    both = [
        Sample(row.example.question, row.example.answer, row, tuned[key])
        for key, row in base.items()
        if key in tuned
    ]
    return sorted(both, key=lambda sample: -sample.gain)


@dataclass
class HeldOut:
    """Loss and token accuracy on the validation set before and after; None where the provider is silent."""

    base_loss: float | None
    tuned_loss: float | None
    base_accuracy: float | None
    tuned_accuracy: float | None


def held_out(job) -> HeldOut:
    """From the job's full validations: step 0 is the base model, the last one the tuned model."""

    def ends(name):
        points = list(Metric.objects.filter(job=job, name=name).order_by("step").values_list("step", "value"))
        first = points[0][1] if points and points[0][0] == 0 else None
        return first, points[-1][1] if points and points[-1][0] > 0 else None

    loss, accuracy = ends("full_valid_loss"), ends("full_valid_mean_token_accuracy")
    return HeldOut(loss[0], loss[1], accuracy[0], accuracy[1])


def job_of(evaluation):
    return evaluation.arms.get(side="tuned").deployment.tuned_model.job
