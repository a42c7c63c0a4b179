"""What every page of the admin keeps to: it shows what its reader may view, and acts by verbs."""

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.utils.translation import gettext as now_

from common.states import Refused

SECRET = frozenset({"password", "key", "webhook_secret", "digest", "token_key"})


def holds(user, act, model):
    return user.has_perm(f"{model._meta.app_label}.{get_permission_codename(act, model._meta)}")


def sees(user, model):
    """Rows that bear the name of another table's row are for those who may view that table too."""
    named_by = admin.site.get_model_admin(model).named_by if admin.site.is_registered(model) else ()
    may = holds(user, "view", model) or holds(user, "change", model)
    return may and all(sees(user, each) for each in named_by)


class Discreet:
    """No column, field, filter or search leads to a secret, or into a table that its reader may not view."""

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request, obj) and sees(request.user, self.model)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and sees(request.user, self.model)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and sees(request.user, self.model)

    def may_view(self, request, path):
        """Whether this reader may see what a lookup from this model leads to."""
        model = self.model
        for name in path.lstrip("^=@-").split("__"):
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                return True  # a method of the page, or a comparison at the end of a lookup
            if name in SECRET:
                return False
            model = field.related_model
            if model is None:
                return True
            if not sees(request.user, model):
                return False
        return True

    def get_fields(self, request, obj=None):
        """A row cannot be added without what it must point at, so there that field stays, and offers nothing."""
        return [
            name
            for name in super().get_fields(request, obj)
            if self.may_view(request, name) or (obj is None and self._must_be_given(name))
        ]

    def _must_be_given(self, name):
        field = self.model._meta.get_field(name)
        return field.many_to_one and not field.blank

    def formfield_for_foreignkey(self, db_field, request, **more):
        if not sees(request.user, db_field.related_model):
            more["queryset"] = db_field.related_model._base_manager.none()
        return super().formfield_for_foreignkey(db_field, request, **more)


class Page(Discreet, admin.ModelAdmin):
    """A model in the admin. An action with permissions=["act"] is for those who may change its rows.

    `named_by` are the models of people's and courses' words that a row bears in its name.
    """

    named_by = ()

    def has_act_permission(self, request):
        return holds(request.user, "change", self.model) and sees(request.user, self.model)

    def response_action(self, request, queryset):
        """A key that is none raises ValidationError here, before the database meets it."""
        for key in request.POST.getlist(admin.helpers.ACTION_CHECKBOX_NAME):
            self.opts.pk.clean(key, None)
        return super().response_action(request, queryset)

    def changelist_view(self, request, extra_context=None):
        """A filter that makes no sense, such as the year 0, is answered as one that Django refuses itself."""
        try:
            return super().changelist_view(request, extra_context)
        except (OverflowError, ValueError):
            return redirect(f"{request.path}?e=1")

    def history_view(self, request, object_id, extra_context=None):
        """It names who has changed what."""
        if not sees(request.user, get_user_model()):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs, request):
        """What goes with these rows, or holds them, is counted, as it may be of tables that stay hidden."""
        _names, counts, needed, holding = super().get_deleted_objects(objs, request)
        if holding:
            needed, holding = set(), [now_("rows that still need it: %d") % len(holding)]
        return [str(row) for row in objs], counts, needed, holding

    def get_list_display(self, request):
        return self._seen(request, super().get_list_display(request)) or ["__str__"]

    def get_list_filter(self, request):
        return self._seen(request, super().get_list_filter(request))

    def get_search_fields(self, request):
        return self._seen(request, super().get_search_fields(request))

    def lookup_allowed(self, lookup, value, request=None):
        return self.may_view(request, lookup) and super().lookup_allowed(lookup, value, request)

    def _seen(self, request, paths):
        return [path for path in paths if self.may_view(request, path)]


class ReadOnly(Page):
    """Rows that only their verbs may write: staff read them here, and act through actions."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(Discreet, admin.TabularInline):
    """`related` is what its rows need of other tables to be shown."""

    extra = 0
    can_delete = False
    related = ()

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


def act(page, request, rows, verb):
    """Call a verb on each row, and tell which refused and why."""
    for row in rows:
        try:
            verb(row)
        except Refused as refusal:
            page.message_user(request, f"{row}: {refusal}", messages.ERROR)
        except ValidationError as problem:
            page.message_user(request, f"{row}: {' '.join(problem.messages)}", messages.ERROR)
        else:
            page.message_user(request, str(row), messages.SUCCESS)
