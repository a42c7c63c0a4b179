from django.contrib import admin
from guardian.admin import GuardedModelAdmin

from common.admin import ReadOnly, ReadOnlyInline
from courses.models import Course, Membership, Passage, Section, Text


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ["user", "role", "since"]
    readonly_fields = ["user", "role", "since"]


@admin.register(Course)
class CourseAdmin(GuardedModelAdmin):
    """Roles are given on the course's own page, where the object permissions follow from them."""

    list_display = ["title", "language", "created"]
    list_filter = ["language"]
    search_fields = ["title", "description"]
    inlines = [MembershipInline]


@admin.register(Section)
class SectionAdmin(ReadOnly):
    list_display = ["title", "course", "parent", "position"]
    search_fields = ["title"]
    list_select_related = ["course", "parent"]


@admin.register(Text)
class TextAdmin(ReadOnly):
    list_display = ["source_name", "section", "language", "tokens", "version", "state", "added"]
    list_filter = ["state", "language", "kind"]
    search_fields = ["source_name"]
    list_select_related = ["section"]


@admin.register(Passage)
class PassageAdmin(ReadOnly):
    list_display = ["text", "section", "start", "end", "tokens"]
    list_select_related = ["text", "section"]
