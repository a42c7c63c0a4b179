from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.doorbell import ring
from courses.models import Course
from datasets.models import Version
from finetuning import comparing
from finetuning.hyperparameters import LIMITS
from finetuning.models import Checkpoint, Event, Job, Metric, TunedModel
from finetuning.preview import preview
from finetuning.states import Method
from finetuning.tasks import sweep
from providers.models import Model


class JobRow(serializers.ModelSerializer):
    hyperparameters = serializers.DictField(help_text="As asked: numbers or “auto”.")
    settled_hyperparameters = serializers.DictField(help_text="What auto became.")
    result_files = serializers.ListField(child=serializers.CharField(), help_text="Ids at the provider.")
    set_aside = serializers.BooleanField(
        source="is_set_aside", help_text="Nothing goes on until it is taken up again."
    )
    base_model = serializers.CharField(source="model.name")
    provider = serializers.CharField(source="model.provider.name")
    estimate = serializers.DecimalField(14, 6, source="ledger.estimate", help_text="US dollars")
    billed = serializers.DecimalField(14, 6, source="ledger.settled", allow_null=True, help_text="US dollars")

    class Meta:
        model = Job
        fields = [
            "id", "version", "base_model", "provider", "state", "raw_status", "problem", "set_aside", "wanted",
            "method", "hyperparameters",
            "settled_hyperparameters", "seed", "suffix", "remote_id", "error_code", "error_message",
            "retry_of", "trained_tokens", "estimate", "billed", "created", "finishes_at", "ended",
            "result_files",
        ]  # fmt: skip


class NewJob(serializers.Serializer):
    model = serializers.IntegerField(help_text="Id of a base model, from `/api/base-models/`.")
    n_epochs = serializers.CharField(default="auto", help_text="1 to 50, or auto")
    batch_size = serializers.CharField(default="auto", help_text="1 to 256, or auto")
    learning_rate_multiplier = serializers.CharField(default="auto", help_text="over 0, or auto")
    learning_rate = serializers.CharField(
        default="auto", help_text="where the provider takes the rate itself"
    )
    lora_r = serializers.CharField(default="auto", help_text="where the provider takes LoRA settings")
    lora_alpha = serializers.CharField(default="auto", help_text="as above")
    lora_dropout = serializers.CharField(default="auto", help_text="as above")
    beta = serializers.CharField(default="auto", help_text="of the method `dpo`")
    early_stopping_patience = serializers.CharField(
        default="auto",
        help_text="where the provider can: epochs without a lower validation loss; auto for never",
    )
    method = serializers.ChoiceField(Method.choices, default=Method.SUPERVISED)
    seed = serializers.IntegerField(default=42, min_value=0, max_value=2**31 - 1)
    suffix = serializers.RegexField(r"^[A-Za-z0-9-]*$", default="", allow_blank=True, max_length=40)


class PreviewRow(serializers.Serializer):
    text = serializers.CharField(help_text="What will happen, when, and for how much.")
    problem = serializers.CharField(help_text="Why the job would be refused; empty where it would not.")
    examples = serializers.IntegerField()
    tokens = serializers.IntegerField(help_text="of one epoch")
    epochs = serializers.IntegerField(help_text="As asked, or what auto is expected to become.")
    total_tokens = serializers.IntegerField()
    price = serializers.DecimalField(12, 4, allow_null=True, help_text="US dollars per 1M tokens")
    estimate = serializers.DecimalField(14, 6, source="cost", allow_null=True, help_text="US dollars")
    formula = serializers.CharField()
    free = serializers.DecimalField(14, 6, help_text="US dollars that the course may still spend this month")
    over = serializers.BooleanField(help_text="The estimate is more than that.")
    needs_approval = serializers.BooleanField(help_text="It would wait for a second person.")
    seconds = serializers.FloatField(allow_null=True, help_text="By past jobs; null where there are none.")


class EventRow(serializers.ModelSerializer):
    data = serializers.DictField()

    class Meta:
        model = Event
        fields = ["id", "type", "level", "message", "data", "at"]


class MetricRow(serializers.ModelSerializer):
    class Meta:
        model = Metric
        fields = ["step", "name", "value"]


class CheckpointRow(serializers.ModelSerializer):
    metrics = serializers.DictField()

    class Meta:
        model = Checkpoint
        fields = ["id", "step", "model_name", "metrics"]


class TunedModelRow(serializers.ModelSerializer):
    class Meta:
        model = TunedModel
        fields = ["id", "name", "job", "made"]


class ComparedRow(serializers.Serializer):
    name = serializers.CharField(help_text="of the setting or result, as in a job or its metrics")
    label = serializers.CharField()
    values = serializers.ListField(child=serializers.JSONField(allow_null=True), help_text="one for each job")
    differs = serializers.BooleanField()


class ComparisonRow(serializers.Serializer):
    jobs = serializers.ListField(child=serializers.IntegerField(), help_text="in the order asked for")
    rows = ComparedRow(many=True)


class CourseJobs(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(JobRow)))
    def get(self, request, pk):
        """The jobs of a course, newest first."""
        course = find(Course, pk, request.user, to="read")
        return paged(request, Job.objects.of(course).select_related("model__provider", "ledger"), JobRow)


class CompareJobs(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("job", int, many=True, required=True, description="two to six ids")],
        responses=answers(ComparisonRow),
    )
    def get(self, request, pk):
        """Two to six jobs of a course: settings and results line by line, a value for each job."""
        course = find(Course, pk, request.user, to="read")
        jobs = comparing.chosen(course, request.query_params.getlist("job"))
        rows = comparing.table(jobs, comparing.points_of(jobs))
        return Response(ComparisonRow({"jobs": [job.pk for job in jobs], "rows": rows}).data)


class VersionJobs(APIView):
    @extend_schema(request=NewJob, responses=answers(JobRow, 201))
    def post(self, request, pk):
        """Start training on a version. Asking twice for the same is one job."""
        version = find(Version, pk, request.user, to="train")
        job = Job.objects.start(version, by=request.user, **settings_of(request))
        ring(sweep)
        return Response(JobRow(job).data, status=201)


class PreviewJob(APIView):
    @extend_schema(request=NewJob, responses=answers(PreviewRow))
    def post(self, request, pk):
        """What a job with these settings would do, when, and for how much; nothing is started."""
        version = find(Version, pk, request.user, to="train")
        return Response(PreviewRow(preview(version, **settings_of(request))).data)


def settings_of(request) -> dict:
    """What a job is started with, or a 400."""
    values = checked(NewJob, request)
    model = Model.objects.trainable().filter(pk=values["model"]).first()
    if model is None:
        raise serializers.ValidationError({"model": "There is no such model that can be tuned."})
    told = {name: values.pop(name) for name in ("seed", "suffix", "method")}
    return {**told, "model": model, "hyperparameters": {name: values[name] for name in LIMITS}}


class OneJob(APIView):
    @extend_schema(responses=answers(JobRow))
    def get(self, request, pk):
        """A job: its state, what the provider says, its costs."""
        return Response(JobRow(find(Job, pk, request.user)).data)


class JobVerb(APIView):
    """A verb of a job, done by those who may; answers with the job as it is then."""

    verb, to = None, "train"

    @extend_schema(request=None, responses=answers(JobRow))
    def post(self, request, pk):
        job = find(Job, pk, request.user, to=self.to)
        getattr(job, self.verb)(by=request.user)
        ring(sweep)
        return Response(JobRow(job).data)


class CancelJob(JobVerb):
    """Cancel a job that has not ended."""

    verb = "cancel"


class PauseJob(JobVerb):
    """Ask the provider to stop for a while, with a usable snapshot, where it can."""

    verb = "pause"


class ResumeJob(JobVerb):
    """Let a paused job go on."""

    verb = "resume"


class TakeUpJob(JobVerb):
    """Try once more with a job that was set aside after its steps crashed again and again."""

    verb = "take_up"


class ApproveJob(JobVerb):
    """Agree to a paid job that somebody else has asked for, under the two-person rule."""

    verb, to = "approve", "approve"


class RetryJob(APIView):
    @extend_schema(request=None, responses=answers(JobRow, 201))
    def post(self, request, pk):
        """Start a job that failed or was cancelled once more, as a new job."""
        again = find(Job, pk, request.user, to="train").retry(by=request.user)
        ring(sweep)
        return Response(JobRow(again).data, status=201)


class Events(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(EventRow)))
    def get(self, request, pk):
        """What the provider reported, oldest first."""
        return paged(request, find(Job, pk, request.user).events.all(), EventRow)


class Metrics(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(MetricRow)))
    def get(self, request, pk):
        """Losses and token accuracies by step, for training, validation and full validation."""
        return paged(request, find(Job, pk, request.user).metrics.all(), MetricRow)


class Checkpoints(APIView):
    @extend_schema(responses=answers(CheckpointRow(many=True)))
    def get(self, request, pk):
        """The checkpoints that are kept; each is a usable model."""
        return Response(CheckpointRow(find(Job, pk, request.user).checkpoints.all(), many=True).data)


class PromoteCheckpoint(APIView):
    @extend_schema(request=None, responses=answers(TunedModelRow, 201))
    def post(self, request, pk):
        """Make a checkpoint a tuned model of its own. Asking twice makes one."""
        checkpoint = find(Checkpoint, pk, request.user, to="train")
        return Response(TunedModelRow(checkpoint.promote(by=request.user)).data, status=201)


class TunedModels(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(TunedModelRow)))
    def get(self, request, pk):
        """The tuned models of a course."""
        course = find(Course, pk, request.user, to="read")
        return paged(request, TunedModel.objects.of(course), TunedModelRow)


class OneTunedModel(APIView):
    @extend_schema(responses=answers(TunedModelRow))
    def get(self, request, pk):
        """One tuned model and the job that made it."""
        return Response(TunedModelRow(find(TunedModel, pk, request.user)).data)
