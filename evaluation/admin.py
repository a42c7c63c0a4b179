from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly, ReadOnlyInline, act
from evaluation.models import Answer, Arm, Evaluation, EvaluationMove, Verdict


class ArmInline(ReadOnlyInline):
    model = Arm
    fields = readonly_fields = ["side", "name", "provider"]


class VerdictInline(ReadOnlyInline):
    model = Verdict
    fields = readonly_fields = ["metric", "base", "tuned", "low", "high", "outcome"]


class MoveInline(ReadOnlyInline):
    model = EvaluationMove
    fields = readonly_fields = ["at", "state", "by", "note"]


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnly):
    list_display = ["id", "version", "split", "state", "problem", "created", "ended"]
    list_filter = ["state"]
    list_select_related = ["version__dataset"]
    inlines = [ArmInline, VerdictInline, MoveInline]
    actions = ["cancel"]

    @admin.action(description=_("Cancel"))
    def cancel(self, request, rows):
        act(self, request, rows, lambda row: row.cancel(by=request.user))


@admin.register(Answer)
class AnswerAdmin(ReadOnly):
    list_display = ["id", "arm", "text", "tokens", "milliseconds", "answered"]
    list_select_related = ["arm"]
