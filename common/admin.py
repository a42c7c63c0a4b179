from django.contrib import admin, messages

from common.states import Refused


class ReadOnly(admin.ModelAdmin):
    """Rows that only their verbs may write: staff read them here, and act through actions."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


def act(page, request, rows, verb):
    """Call a verb on each row, and tell which refused and why."""
    for row in rows:
        try:
            verb(row)
        except Refused as refusal:
            page.message_user(request, f"{row}: {refusal}", messages.ERROR)
        else:
            page.message_user(request, str(row), messages.SUCCESS)
