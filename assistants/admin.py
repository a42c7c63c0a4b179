from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.audited import Audited
from assistants.models import Assistant, Conversation, Feedback, Message, Quota
from common.admin import ReadOnly, ReadOnlyInline, act
from courses.models import Course


@admin.register(Assistant)
class AssistantAdmin(ReadOnly):
    list_display = ["title", "course", "deployment", "state", "proposed_by", "created"]
    list_filter = ["state"]
    search_fields = ["title", "course__title"]
    list_select_related = ["course", "deployment", "proposed_by"]
    actions = ["publish", "approve", "withdraw", "archive", "restore"]

    @admin.action(description=_("Publish"), permissions=["act"])
    def publish(self, request, rows):
        act(self, request, rows, lambda row: row.publish(by=request.user))

    @admin.action(description=_("Approve"), permissions=["act"])
    def approve(self, request, rows):
        act(self, request, rows, lambda row: row.approve(by=request.user))

    @admin.action(description=_("Withdraw"), permissions=["act"])
    def withdraw(self, request, rows):
        act(self, request, rows, lambda row: row.withdraw(by=request.user))

    @admin.action(description=_("Archive"), permissions=["act"])
    def archive(self, request, rows):
        act(self, request, rows, lambda row: row.archive(by=request.user))

    @admin.action(description=_("Take out of the archive"), permissions=["act"])
    def restore(self, request, rows):
        act(self, request, rows, lambda row: row.restore(by=request.user))


class MessageInline(ReadOnlyInline):
    model = Message
    fields = readonly_fields = ["at", "side", "text", "answer_tokens", "cost"]


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    named_by = [Assistant]
    list_display = ["id", "assistant", "user", "begun"]
    search_fields = ["assistant__title", "user__email", "user__name"]
    list_select_related = ["assistant", "user"]
    inlines = [MessageInline]


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ["id", "conversation", "side", "text", "prompt_tokens", "answer_tokens", "cost", "at"]
    list_filter = ["side"]
    search_fields = ["text"]
    list_select_related = ["conversation__assistant"]


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly):
    list_display = ["at", "message", "user", "good", "note"]
    list_filter = ["good"]
    search_fields = ["note", "user__email", "user__name"]
    list_select_related = ["message", "user"]


@admin.register(Quota)
class QuotaAdmin(Audited):
    """Of one month of one course only the limit changes."""

    named_by = [Course]
    list_display = ["id", "course", "month", "limit", "used"]
    list_filter = ["month"]
    search_fields = ["course__title"]
    list_select_related = ["course"]

    def get_readonly_fields(self, request, obj=None):
        return ["course", "month", "used"] if obj else ["used"]

    def has_delete_permission(self, request, obj=None):
        return False
