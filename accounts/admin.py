from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, User
from common.admin import ReadOnly


@admin.register(User)
class PersonAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "name", "is_instructor", "is_staff", "is_active", "last_login"]
    list_filter = ["is_instructor", "is_staff", "is_active", "language"]
    search_fields = ["email", "name"]
    readonly_fields = ["last_login", "joined"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Person"), {"fields": ["name", "language"]}),
        (_("Rights"), {"fields": ["is_active", "is_instructor", "is_staff", "is_superuser"]}),
        (_("Groups"), {"fields": ["groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "joined"]}),
    ]  # fmt: skip
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2", "is_instructor"]})]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "actor", "action", "object_label", "course_id"]
    list_filter = ["action", "at"]
    search_fields = ["object_label", "actor__email"]
    list_select_related = ["actor"]
