from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from assistants.models import Assistant, Conversation, Feedback, Message, Quota
from common.admin import ReadOnly, ReadOnlyInline, act


@admin.register(Assistant)
class AssistantAdmin(ReadOnly):
    list_display = ["title", "course", "deployment", "state", "created"]
    list_filter = ["state"]
    search_fields = ["title", "course__title"]
    list_select_related = ["course", "deployment"]
    actions = ["publish", "withdraw"]

    @admin.action(description=_("Publish"))
    def publish(self, request, rows):
        act(self, request, rows, lambda row: row.publish(by=request.user))

    @admin.action(description=_("Withdraw"))
    def withdraw(self, request, rows):
        act(self, request, rows, lambda row: row.withdraw(by=request.user))


class MessageInline(ReadOnlyInline):
    model = Message
    fields = readonly_fields = ["at", "side", "text", "answer_tokens", "cost"]


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    list_display = ["assistant", "user", "begun"]
    list_select_related = ["assistant", "user"]
    inlines = [MessageInline]


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly):
    list_display = ["at", "message", "user", "good", "note"]


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):
    list_display = ["course", "month", "limit", "used"]
    readonly_fields = ["used"]
