from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.doorbell import ring
from courses.models import Course
from evaluation.models import Answer, Evaluation, Verdict
from evaluation.parity import SHOWN, Parity, compared
from evaluation.report import held_out, job_of
from evaluation.tasks import sweep
from finetuning.models import TunedModel


class VerdictRow(serializers.ModelSerializer):
    class Meta:
        model = Verdict
        fields = ["metric", "examples", "base", "tuned", "difference", "low", "high", "outcome"]


class HeldOutRow(serializers.Serializer):
    base_loss = serializers.FloatField(allow_null=True)
    tuned_loss = serializers.FloatField(allow_null=True)
    base_accuracy = serializers.FloatField(allow_null=True)
    tuned_accuracy = serializers.FloatField(allow_null=True)


class EvaluationRow(serializers.ModelSerializer):
    progress = serializers.FloatField(help_text="0 to 1")

    class Meta:
        model = Evaluation
        fields = ["id", "version", "split", "state", "progress", "problem", "created", "ended"]


class EvaluationDetail(EvaluationRow):
    verdicts = VerdictRow(many=True)
    held_out = serializers.SerializerMethodField()

    class Meta(EvaluationRow.Meta):
        fields = [*EvaluationRow.Meta.fields, "verdicts", "held_out"]

    def get_held_out(self, evaluation) -> HeldOutRow:
        return HeldOutRow(held_out(job_of(evaluation))).data


class AnswerRow(serializers.ModelSerializer):
    side = serializers.CharField(source="arm.side")
    question = serializers.CharField(source="example.question")
    reference = serializers.CharField(source="example.answer")
    scores = serializers.DictField(child=serializers.FloatField())

    class Meta:
        model = Answer
        fields = ["id", "side", "question", "reference", "text", "scores", "tokens", "milliseconds"]


class NewEvaluation(serializers.Serializer):
    most = serializers.IntegerField(default=50, min_value=1, max_value=1000, help_text="examples at most")


class ParityQuery(serializers.Serializer):
    a = serializers.IntegerField(min_value=1, max_value=2**62, help_text="Id of the old tuned model.")
    b = serializers.IntegerField(
        min_value=1, max_value=2**62, help_text="Id of the new one, of the same version."
    )


class TriedRow(serializers.Serializer):
    model = serializers.IntegerField(source="model.pk")
    name = serializers.CharField(source="model.name")
    base_model = serializers.CharField(source="model.job.model.name")
    provider = serializers.CharField(source="model.job.model.provider.name")
    evaluation = serializers.IntegerField(source="done.pk", default=None, help_text="The last finished one.")
    running = serializers.IntegerField(source="running.pk", default=None, help_text="One that is under way.")
    held_out = HeldOutRow()


class MeasureRow(serializers.Serializer):
    metric = serializers.CharField()
    a = serializers.FloatField(source="old")
    b = serializers.FloatField(source="new")
    difference = serializers.FloatField(help_text="b minus a, 0 to 100")
    low = serializers.FloatField()
    high = serializers.FloatField()
    outcome = serializers.CharField(help_text=f"{', '.join(Parity.values)}: of b beside a")


class ParitySampleRow(serializers.Serializer):
    question = serializers.CharField()
    reference = serializers.CharField()
    a = serializers.CharField(source="base.text")
    b = serializers.CharField(source="tuned.text")
    gain = serializers.FloatField(help_text="chrF of b minus chrF of a")


class ParityRow(serializers.Serializer):
    a = TriedRow(source="old")
    b = TriedRow(source="new")
    examples = serializers.SerializerMethodField(help_text="that both have answered")
    measures = MeasureRow(many=True)
    samples = serializers.SerializerMethodField(help_text="those with the largest differences")

    def get_examples(self, told) -> int:
        return len(told.samples)

    @extend_schema_field(ParitySampleRow(many=True))
    def get_samples(self, told):
        return ParitySampleRow(told.samples[:SHOWN], many=True).data


class CourseEvaluations(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(EvaluationRow)))
    def get(self, request, pk):
        """The evaluations of a course, newest first."""
        course = find(Course, pk, request.user, to="read")
        return paged(request, Evaluation.objects.of(course).counted(), EvaluationRow)


class ModelEvaluations(APIView):
    @extend_schema(request=NewEvaluation, responses=answers(EvaluationRow, 201))
    def post(self, request, pk):
        """Compare a tuned model with its base on the held-out examples."""
        tuned = find(TunedModel, pk, request.user, to="freeze")
        evaluation = Evaluation.objects.start(tuned, by=request.user, **checked(NewEvaluation, request))
        ring(sweep)
        return Response(EvaluationRow(evaluation).data, status=201)


class OneEvaluation(APIView):
    @extend_schema(responses=answers(EvaluationDetail))
    def get(self, request, pk):
        """One evaluation: its progress, its verdicts with 95 % intervals, loss on the validation set."""
        return Response(EvaluationDetail(find(Evaluation, pk, request.user)).data)


class CancelEvaluation(APIView):
    @extend_schema(request=None, responses=answers(EvaluationRow))
    def post(self, request, pk):
        """Cancel an evaluation that has not ended."""
        evaluation = find(Evaluation, pk, request.user, to="freeze")
        evaluation.cancel(by=request.user)
        return Response(EvaluationRow(evaluation).data)


class Answers(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(AnswerRow)))
    def get(self, request, pk):
        """Every answer beside its reference."""
        evaluation = find(Evaluation, pk, request.user)
        rows = Answer.objects.filter(arm__evaluation=evaluation).exclude(answered=None)
        return paged(request, rows.select_related("arm", "example__version"), AnswerRow)


class OneParity(APIView):
    @extend_schema(parameters=[ParityQuery], responses=answers(ParityRow))
    def get(self, request, pk):
        """Two tuned models of the same version on the same held-out examples: is `b` as good as `a`?"""
        return Response(ParityRow(self._told(request, pk, to="read")).data)

    @extend_schema(parameters=[ParityQuery], request=None, responses=answers(ParityRow, 201))
    def post(self, request, pk):
        """Evaluate whichever of the two has not been evaluated."""
        told = self._told(request, pk, to="freeze")
        told.start(by=request.user)
        ring(sweep)
        return Response(ParityRow(self._told(request, pk, to="freeze")).data, status=201)

    def _told(self, request, pk, to):
        course = find(Course, pk, request.user, to=to)
        query = ParityQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return compared(course, request.user, query.validated_data["a"], query.validated_data["b"])
