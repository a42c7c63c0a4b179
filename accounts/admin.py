from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.audited import UNTOLD, Audited
from accounts.models import AuditEntry, Token, User
from accounts.second_factor import take_second_factor
from accounts.tokens import revoke_token
from common.admin import ReadOnly, act
from common.states import Refused

RISING = ["is_staff", "is_superuser", "groups", "user_permissions"]
admin.site.unregister(Group)


class OneEmail:
    """An email is one person, however it is written."""

    def clean_email(self):
        return User.objects.normalize_email(self.cleaned_data["email"])


class PersonForm(OneEmail, UserChangeForm):
    def clean(self):
        values = super().clean()
        stays = all(values.get(name, True) for name in ("is_active", "is_staff", "is_superuser"))
        if not stays:
            try:
                self.instance.keep_a_chief()
            except Refused as refusal:
                raise ValidationError(str(refusal)) from None
        return values


class NewPersonForm(OneEmail, AdminUserCreationForm):
    pass


@admin.register(User)
class PersonAdmin(Audited, UserAdmin):
    """Nobody is deleted here, as the audit trail points at them: they are forgotten."""

    form, add_form = PersonForm, NewPersonForm
    word = "person"
    untold = frozenset({"email", "name", "password1", "password2"})
    ordering = ["email"]
    list_display = ["email", "name", "is_instructor", "is_service", "is_staff", "is_active", "last_login"]
    list_filter = ["is_instructor", "is_service", "is_staff", "is_active", "language"]
    search_fields = ["email", "name"]
    readonly_fields = ["last_login", "joined", "forgotten", "is_service", "serves"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Person"), {"fields": ["name", "language", "time_zone"]}),
        (_("Rights"), {"fields": ["is_active", "is_instructor", "is_staff", "is_superuser"]}),
        (_("Groups"), {"fields": ["groups", "user_permissions"]}),
        (_("Service account"), {"fields": ["is_service", "serves"]}),
        (_("Dates"), {"fields": ["last_login", "joined", "forgotten"]}),
    ]  # fmt: skip
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2", "is_instructor"]})]
    actions = ["forget", "take_second_factor"]

    def has_delete_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        """Only superusers change staff, or whoever may change people could become any of them."""
        if obj and (obj.forgotten or (obj.is_staff and not request.user.is_superuser)):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request, obj=None):
        shown = super().get_readonly_fields(request, obj)
        return shown if request.user.is_superuser else [*shown, *RISING]

    def get_fieldsets(self, request, obj=None):
        """What leads into tables that the reader may not view is left out here too."""
        return [
            (title, {**options, "fields": shown})
            for title, options in super().get_fieldsets(request, obj)
            if (shown := [each for each in options["fields"] if self._is_shown(request, each)])
        ]

    def _is_shown(self, request, name):
        return name == "password" or self.may_view(request, name)

    @transaction.atomic
    def user_change_password(self, request, id, form_url=""):
        before = self.get_object(request, unquote(id))
        answer = super().user_change_password(request, id, form_url)
        if before and not User.objects.filter(pk=before.pk, password=before.password).exists():
            told = {"password": UNTOLD}
            self.tell(request.user, "change", before, before=told, after=told)
        return answer

    def log_addition(self, request, obj, message):
        return unnamed(super().log_addition(request, obj, message))

    def log_change(self, request, obj, message):
        return unnamed(super().log_change(request, obj, message))

    @admin.action(description=_("Forget these people"), permissions=["act"])
    def forget(self, request, rows):
        act(self, request, rows, lambda row: self.allowed(request, row).forget(by=request.user))

    @admin.action(description=_("Turn off the second factor"), permissions=["act"])
    def take_second_factor(self, request, rows):
        act(self, request, rows, lambda row: take_second_factor(self.allowed(request, row), by=request.user))

    def allowed(self, request, row):
        if not self.has_change_permission(request, row):
            raise Refused(now_("Only superusers change staff, and nobody changes who is forgotten."))
        return row


def unnamed(entry):
    """The admin's own history outlives a person too, so they stand in it as a number."""
    LogEntry.objects.filter(pk=entry.pk).update(object_repr=f"person {entry.object_id}")
    return entry


@admin.register(Group)
class RightsGroupAdmin(Audited, GroupAdmin):
    """What a group may is for superusers to say, or whoever may change groups could give themselves everything."""

    def get_readonly_fields(self, request, obj=None):
        return [] if request.user.is_superuser else ["permissions"]


@admin.register(Token)
class TokenAdmin(ReadOnly):
    list_display = ["__str__", "name", "user", "scopes", "every_course", "created", "expiry", "last_used"]
    list_filter = ["every_course", "expiry"]
    search_fields = ["name", "user__email", "user__name"]
    list_select_related = ["user"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke"), permissions=["act"])
    def revoke(self, request, rows):
        act(self, request, rows, lambda row: revoke_token(row.user, row.pk, by=request.user))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "actor", "role", "action", "object_label", "course_id", "address"]
    list_filter = ["action", "at"]
    search_fields = ["object_label", "action", "request_id", "actor__email"]
    list_select_related = ["actor"]
