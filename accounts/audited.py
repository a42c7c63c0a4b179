"""The admin's part of the audit trail: what its forms write is recorded with it, in its transaction."""

from django.db import models, transaction

from accounts.access import course_of
from accounts.models import record
from common.admin import SECRET, Page

UNTOLD = "changed"


class Audited(Page):
    """A page whose forms write. The trail tells their values before and after, but for those in `untold`."""

    untold = frozenset()
    word = ""  # what the trail calls a row, where it is not the model's name

    def get_object(self, request, object_id, from_field=None):
        """A form writes all columns: the row is locked first, or counters that move meanwhile would be set back."""
        row = super().get_object(request, object_id, from_field)
        if row and request.method == "POST" and transaction.get_connection().in_atomic_block:
            row.refresh_from_db(from_queryset=self.model._base_manager.select_for_update())
        return row

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        self.tell_form(request.user, form, "change" if change else "add")

    def save_formset(self, request, form, formset, change):
        for gone in formset.deleted_forms:
            if gone.instance.pk:
                self.tell(request.user, "delete", gone.instance)
        super().save_formset(request, form, formset, change)
        changed = [row for row, _names in formset.changed_objects]
        for each in formset.forms:
            if each.instance in formset.new_objects:
                self.tell_form(request.user, each, "add")
            elif each.instance in changed:
                self.tell_form(request.user, each, "change")

    def delete_model(self, request, obj):
        self.tell(request.user, "delete", obj)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        for row in queryset:
            self.tell(request.user, "delete", row)
        super().delete_queryset(request, queryset)

    def tell_form(self, by, form, act):
        names = [name for name in form.changed_data if name in form.cleaned_data]
        before, after = (self._told(names, values) for values in (form.initial, form.cleaned_data))
        if act == "add":
            self.tell(by, act, form.instance, after=after)
            return
        changed = [name for name in names if before[name] != after[name] or after[name] == UNTOLD]
        if changed:
            before, after = ({name: told[name] for name in changed} for told in (before, after))
            self.tell(by, act, form.instance, before=before, after=after)

    def tell(self, by, act, row, before=None, after=None):
        word = self.word if isinstance(row, self.model) else ""
        course = course_of(row) if hasattr(row, "COURSE") else None
        record(by, f"{word or row._meta.model_name}.{act}", row, course, before=before, after=after)

    def _told(self, names, values):
        return {name: UNTOLD if name in self.untold | SECRET else plain(values.get(name)) for name in names}


def plain(value):
    """As JSON can hold it; rows are told by their keys."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | models.QuerySet):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str | dict) else str(value)
