from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly, ReadOnlyInline, act
from finetuning.models import Checkpoint, Deployment, Event, Job, JobMove, Metric, TunedModel


class MoveInline(ReadOnlyInline):
    model = JobMove
    fields = readonly_fields = ["at", "state", "by", "note"]


class CheckpointInline(ReadOnlyInline):
    model = Checkpoint
    fields = readonly_fields = ["step", "model_name", "metrics"]


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["id", "version", "model", "state", "raw_status", "problem", "created", "ended"]
    list_filter = ["state", "model__provider"]
    search_fields = ["remote_id", "op", "version__dataset__title"]
    list_select_related = ["version__dataset", "model__provider"]
    inlines = [MoveInline, CheckpointInline]
    actions = ["cancel"]

    @admin.action(description=_("Cancel"))
    def cancel(self, request, rows):
        act(self, request, rows, lambda row: row.cancel(by=request.user))


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "job", "type", "message"]
    list_filter = ["type", "level"]


@admin.register(Metric)
class MetricAdmin(ReadOnly):
    list_display = ["job", "step", "name", "value"]
    list_filter = ["name"]


@admin.register(TunedModel)
class TunedModelAdmin(ReadOnly):
    list_display = ["name", "job", "made"]
    search_fields = ["name"]


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    list_display = ["name", "tuned_model", "provider", "state", "ends"]
    list_filter = ["state", "provider"]
