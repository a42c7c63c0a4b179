from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly, ReadOnlyInline, act
from datasets.models import Citation, Dataset, Example, Generation, Import, Review, Version, VersionExample


@admin.register(Dataset)
class DatasetAdmin(admin.ModelAdmin):
    list_display = ["title", "course", "created"]
    search_fields = ["title", "course__title"]
    list_select_related = ["course"]
    readonly_fields = ["course"]

    def has_add_permission(self, request):
        return False


class CitationInline(ReadOnlyInline):
    model = Citation
    fields = readonly_fields = ["passage", "start", "end", "quote"]


class ReviewInline(ReadOnlyInline):
    model = Review
    fields = readonly_fields = ["at", "person", "decision", "note"]


@admin.register(Example)
class ExampleAdmin(ReadOnly):
    list_display = ["id", "question", "dataset", "section", "state", "origin", "tokens"]
    list_filter = ["state", "origin", "dataset"]
    search_fields = ["messages"]
    list_select_related = ["dataset", "section"]
    inlines = [CitationInline, ReviewInline]
    actions = ["approve", "reject"]

    @admin.action(description=_("Approve"))
    def approve(self, request, rows):
        act(self, request, rows, lambda row: row.approve(by=request.user))

    @admin.action(description=_("Reject"))
    def reject(self, request, rows):
        act(self, request, rows, lambda row: row.reject(by=request.user))


@admin.register(Generation)
class GenerationAdmin(ReadOnly):
    list_display = ["at", "dataset", "made", "cost", "by"]


@admin.register(Import)
class ImportAdmin(ReadOnly):
    list_display = ["at", "file", "dataset", "added", "known", "bad", "by"]


@admin.register(Version)
class VersionAdmin(ReadOnly):
    list_display = ["dataset", "number", "seed", "frozen", "by"]
    list_select_related = ["dataset", "by"]


@admin.register(VersionExample)
class VersionExampleAdmin(ReadOnly):
    list_display = ["version", "position", "split", "tokens"]
    list_filter = ["split"]
    list_select_related = ["version__dataset"]
