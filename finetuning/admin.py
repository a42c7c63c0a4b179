from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly, ReadOnlyInline, act
from finetuning.models import Checkpoint, Deployment, DeploymentMove, Event, Job, JobMove, Metric, TunedModel
from finetuning.tidying import orphans
from providers.errors import ProviderError
from providers.models import Provider


class MoveInline(ReadOnlyInline):
    model = JobMove
    fields = readonly_fields = ["at", "state", "by", "note"]
    related = ["by"]


class CheckpointInline(ReadOnlyInline):
    model = Checkpoint
    fields = readonly_fields = ["step", "model_name", "metrics"]


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["id", "version", "model", "state", "raw_status", "problem", "by", "created", "ended"]
    list_filter = ["state", "model__provider"]
    search_fields = ["remote_id", "op", "version__dataset__title"]
    list_select_related = ["version__dataset", "model__provider", "by"]
    inlines = [MoveInline, CheckpointInline]
    actions = ["approve", "cancel", "retry", "take_up", "pause", "resume", "look_for_orphans"]

    @admin.action(description=_("Approve"), permissions=["act"])
    def approve(self, request, rows):
        act(self, request, rows, lambda row: row.approve(by=request.user))

    @admin.action(description=_("Cancel"), permissions=["act"])
    def cancel(self, request, rows):
        act(self, request, rows, lambda row: row.cancel(by=request.user))

    @admin.action(description=_("Try again"), permissions=["act"])
    def retry(self, request, rows):
        act(self, request, rows, lambda row: row.retry(by=request.user))

    @admin.action(description=_("Pause"), permissions=["act"])
    def pause(self, request, rows):
        act(self, request, rows, lambda row: row.pause(by=request.user))

    @admin.action(description=_("Resume"), permissions=["act"])
    def resume(self, request, rows):
        act(self, request, rows, lambda row: row.resume(by=request.user))

    @admin.action(
        description=_("Look for jobs at their providers that have no row here"), permissions=["act"]
    )
    def look_for_orphans(self, request, rows):
        for provider in Provider.objects.filter(models__jobs__in=rows).distinct():
            try:
                found = [row["id"] for row in orphans(provider)]
            except ProviderError as error:
                self.message_user(request, f"{provider}: {error.text}", messages.ERROR)
            else:
                told = (
                    _("%(provider)s has live jobs without a row here: %(ids)s.")
                    if found
                    else _("%(provider)s has none.")
                )
                words = {"provider": provider, "ids": ", ".join(found)}
                self.message_user(request, told % words, messages.WARNING if found else messages.SUCCESS)

    @admin.action(description=_("Take up again"), permissions=["act"])
    def take_up(self, request, rows):
        act(self, request, rows, lambda row: row.take_up(by=request.user))


@admin.register(JobMove)
class JobMoveAdmin(ReadOnly):
    list_display = ["at", "job", "state", "by", "note"]
    list_filter = ["state"]
    search_fields = ["note", "job__remote_id"]
    list_select_related = ["job__model", "by"]


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "job", "type", "message"]
    list_filter = ["type", "level"]
    search_fields = ["message", "remote_id"]
    list_select_related = ["job__model"]


@admin.register(Metric)
class MetricAdmin(ReadOnly):
    list_display = ["id", "job", "step", "name", "value"]
    list_filter = ["name"]
    search_fields = ["name", "job__remote_id"]
    list_select_related = ["job__model"]


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnly):
    list_display = ["id", "job", "step", "model_name"]
    search_fields = ["model_name", "remote_id"]
    list_select_related = ["job__model"]
    actions = ["promote"]

    @admin.action(description=_("Make a model of it"), permissions=["act"])
    def promote(self, request, rows):
        act(self, request, rows, lambda row: row.promote(by=request.user))


@admin.register(TunedModel)
class TunedModelAdmin(ReadOnly):
    list_display = ["name", "job", "made"]
    search_fields = ["name", "job__remote_id"]
    list_select_related = ["job__model"]
    actions = ["deploy"]

    @admin.action(description=_("Deploy"), permissions=["act"])
    def deploy(self, request, rows):
        act(self, request, rows, lambda row: Deployment.objects.start(row, by=request.user))


class DeploymentMoveInline(ReadOnlyInline):
    model = DeploymentMove
    fields = readonly_fields = ["at", "state", "by", "note"]
    related = ["by"]


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    list_display = ["name", "tuned_model", "provider", "state", "problem", "up_since", "hourly", "ends"]
    list_filter = ["state", "provider"]
    search_fields = ["name", "tuned_model__name"]
    list_select_related = ["tuned_model", "provider"]
    inlines = [DeploymentMoveInline]
    actions = ["take_down"]

    @admin.action(description=_("Take down"), permissions=["act"])
    def take_down(self, request, rows):
        act(self, request, rows, lambda row: row.remove(by=request.user))


@admin.register(DeploymentMove)
class DeploymentMoveAdmin(ReadOnly):
    list_display = ["at", "deployment", "state", "by", "note"]
    list_filter = ["state"]
    search_fields = ["note", "deployment__name"]
    list_select_related = ["deployment__tuned_model", "by"]
