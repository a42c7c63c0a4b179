from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly, ReadOnlyInline, act
from evaluation.models import Answer, Arm, Evaluation, EvaluationMove, Verdict


class ArmInline(ReadOnlyInline):
    model = Arm
    fields = readonly_fields = ["side", "name", "provider"]
    related = ["provider"]


class VerdictInline(ReadOnlyInline):
    model = Verdict
    fields = readonly_fields = ["metric", "base", "tuned", "low", "high", "outcome"]


class MoveInline(ReadOnlyInline):
    model = EvaluationMove
    fields = readonly_fields = ["at", "state", "by", "note"]
    related = ["by"]


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnly):
    list_display = ["id", "version", "split", "state", "problem", "created", "ended"]
    list_filter = ["state", "split"]
    search_fields = ["version__dataset__title", "problem"]
    list_select_related = ["version__dataset"]
    inlines = [ArmInline, VerdictInline, MoveInline]
    actions = ["cancel"]

    @admin.action(description=_("Cancel"), permissions=["act"])
    def cancel(self, request, rows):
        act(self, request, rows, lambda row: row.cancel(by=request.user))


@admin.register(EvaluationMove)
class EvaluationMoveAdmin(ReadOnly):
    list_display = ["at", "evaluation", "state", "by", "note"]
    list_filter = ["state"]
    search_fields = ["note"]
    list_select_related = ["evaluation", "by"]


@admin.register(Arm)
class ArmAdmin(ReadOnly):
    list_display = ["id", "evaluation", "side", "name", "provider", "model"]
    list_filter = ["side"]
    search_fields = ["name"]
    list_select_related = ["evaluation", "provider", "model__provider"]


@admin.register(Answer)
class AnswerAdmin(ReadOnly):
    list_display = ["id", "arm", "text", "tokens", "milliseconds", "answered"]
    search_fields = ["text"]
    list_select_related = ["arm"]


@admin.register(Verdict)
class VerdictAdmin(ReadOnly):
    list_display = ["id", "evaluation", "metric", "base", "tuned", "low", "high", "outcome"]
    list_filter = ["outcome", "metric"]
    search_fields = ["metric"]
    list_select_related = ["evaluation"]
