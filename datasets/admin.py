from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.audited import Audited
from common.admin import ReadOnly, ReadOnlyInline, act
from courses.texts import Passage
from datasets.models import Citation, Dataset, Example, Generation, Import, Review, Version, VersionExample


@admin.register(Dataset)
class DatasetAdmin(Audited):
    list_display = ["title", "course", "created"]
    search_fields = ["title", "course__title"]
    list_select_related = ["course"]
    readonly_fields = ["course", "created"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class CitationInline(ReadOnlyInline):
    model = Citation
    fields = readonly_fields = ["passage", "start", "end", "quote"]
    related = ["passage__text"]


class ReviewInline(ReadOnlyInline):
    model = Review
    fields = readonly_fields = ["at", "person", "decision", "note"]
    related = ["person", "example"]


@admin.register(Example)
class ExampleAdmin(ReadOnly):
    list_display = ["id", "question", "dataset", "section", "state", "origin", "tokens"]
    list_filter = ["state", "origin", "dataset"]
    search_fields = ["messages", "sha256"]
    list_select_related = ["dataset", "section"]
    inlines = [CitationInline, ReviewInline]
    actions = ["approve", "reject"]

    @admin.action(description=_("Approve"), permissions=["act"])
    def approve(self, request, rows):
        act(self, request, rows, lambda row: row.approve(by=request.user))

    @admin.action(description=_("Reject"), permissions=["act"])
    def reject(self, request, rows):
        act(self, request, rows, lambda row: row.reject(by=request.user))


@admin.register(Citation)
class CitationAdmin(ReadOnly):
    named_by = [Passage]
    list_display = ["id", "example", "passage", "start", "end", "quote"]
    search_fields = ["quote"]
    list_select_related = ["example", "passage__text"]


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    list_display = ["at", "example", "person", "decision", "note"]
    list_filter = ["decision"]
    search_fields = ["note", "person__email"]
    list_select_related = ["example", "person"]


@admin.register(Generation)
class GenerationAdmin(ReadOnly):
    named_by = [Dataset]
    list_display = ["at", "dataset", "made", "cost", "by"]
    search_fields = ["dataset__title"]
    list_select_related = ["dataset", "by"]


@admin.register(Import)
class ImportAdmin(ReadOnly):
    list_display = ["at", "file", "dataset", "added", "known", "bad", "by"]
    search_fields = ["file", "sha256", "dataset__title"]
    list_select_related = ["dataset", "by"]


@admin.register(Version)
class VersionAdmin(ReadOnly):
    named_by = [Dataset]
    list_display = ["id", "dataset", "number", "seed", "frozen", "by"]
    search_fields = ["dataset__title"]
    list_select_related = ["dataset", "by"]


@admin.register(VersionExample)
class VersionExampleAdmin(ReadOnly):
    named_by = [Version]
    list_display = ["id", "version", "position", "split", "tokens"]
    list_filter = ["split"]
    search_fields = ["line"]
    list_select_related = ["version__dataset"]
