from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from guardian.admin import GuardedModelAdmin

from accounts.access import CODENAMES
from accounts.audited import Audited
from accounts.models import User, record
from common.admin import ReadOnly, ReadOnlyInline, act, holds, sees
from courses.models import (
    Course,
    CourseGroupPermission,
    CourseUserPermission,
    Invitation,
    Membership,
    Service,
)
from courses.notices import Notice
from courses.texts import Passage, Section, Text


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = readonly_fields = ["user", "role", "since"]
    related = ["user", "course"]


class Granting(GuardedModelAdmin):
    """guardian's pages of object permissions: for those who may view people and change grants, and on the trail."""

    obj_perms_manage_template = "admin/courses/grants.html"

    def obj_perms_manage_view(self, request, object_pk):
        self._check(request, object_pk, CourseUserPermission, CourseGroupPermission)
        return super().obj_perms_manage_view(request, object_pk)

    def obj_perms_manage_user_view(self, request, object_pk, user_id):
        return self._granting(
            request, super().obj_perms_manage_user_view, CourseUserPermission, object_pk, user_id
        )

    def obj_perms_manage_group_view(self, request, object_pk, group_id):
        return self._granting(
            request, super().obj_perms_manage_group_view, CourseGroupPermission, object_pk, group_id
        )

    @transaction.atomic
    def _granting(self, request, view, grants, object_pk, holder):
        course = self._check(request, object_pk, grants)
        if not holder.isdecimal():
            raise Http404
        before = actions_given(grants, course, holder)
        answer = view(request, object_pk, holder)
        after = actions_given(grants, course, holder)
        if before != after:
            record_grant(request.user, course, grants, holder, before, after)
        return answer

    def _check(self, request, object_pk, *tables):
        course = self.get_object(request, unquote(object_pk))
        if course is None:
            raise Http404
        if not (sees(request.user, User) and all(holds(request.user, "change", each) for each in tables)):
            raise PermissionDenied
        return course


def actions_given(grants, course, holder):
    side = "user" if grants is CourseUserPermission else "group"
    given = grants.objects.filter(**{f"{side}_id": holder}, content_object=course)
    return sorted(CODENAMES.get(name, name) for name in given.values_list("permission__codename", flat=True))


def record_grant(by, course, grants, holder, before, after):
    side = "person" if grants is CourseUserPermission else "group"
    record(by, "course.grant", course, course, before=before, after=after, **{side: int(holder)})


@admin.register(Course)
class CourseAdmin(Audited, Granting):
    """Roles are given on the course's own page, where the object permissions follow from them.

    A course begins on the site, where it gets its owner; deleting it takes all that lies below it.
    """

    list_display = ["title", "language", "two_person", "created"]
    list_filter = ["language", "two_person"]
    search_fields = ["title", "description"]
    readonly_fields = ["two_person", "created"]
    inlines = [MembershipInline]
    actions = ["put_in_force", "lift"]

    def has_add_permission(self, request):
        return False

    def get_deleted_objects(self, objs, request):
        """Only how much of everything goes: it may be thousands of rows, and no right on each is asked for."""
        keys = [course.pk for course in objs]
        below = [each for each in apps.get_models() if getattr(each, "COURSE", "") and not each._meta.proxy]
        counts = {each: each._base_manager.filter(**{f"{each.COURSE}__in": keys}).count() for each in below}
        told = {each._meta.verbose_name_plural: count for each, count in counts.items() if count}
        return [str(course) for course in objs], told, set(), []

    def delete_model(self, request, obj):
        obj.remove(by=request.user)

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        for course in queryset:
            course.remove(by=request.user)

    @admin.action(description=_("Put the two-person rule in force"), permissions=["act"])
    def put_in_force(self, request, rows):
        act(self, request, rows, lambda row: row.set_two_person(True, by=request.user))

    @admin.action(description=_("Lift the two-person rule"), permissions=["act"])
    def lift(self, request, rows):
        act(self, request, rows, lambda row: row.set_two_person(False, by=request.user))


@admin.register(CourseUserPermission)
class CourseUserPermissionAdmin(ReadOnly):
    named_by = [User, Course]
    list_display = ["user", "permission", "content_object"]
    list_filter = ["permission"]
    search_fields = ["user__email", "user__name", "content_object__title"]
    list_select_related = ["user", "permission__content_type", "content_object"]


@admin.register(CourseGroupPermission)
class CourseGroupPermissionAdmin(ReadOnly):
    named_by = [Group, Course]
    list_display = ["group", "permission", "content_object"]
    list_filter = ["permission"]
    search_fields = ["group__name", "content_object__title"]
    list_select_related = ["group", "permission__content_type", "content_object"]


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    named_by = [User]
    list_display = ["id", "user", "course", "role", "since"]
    list_filter = ["role"]
    search_fields = ["user__email", "user__name", "course__title"]
    list_select_related = ["user", "course"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ["id", "email", "course", "role", "by", "made", "expires", "accepted", "revoked"]
    list_filter = ["role", "made"]
    search_fields = ["email", "course__title"]
    list_select_related = ["course", "by"]
    actions = ["revoke"]

    @admin.action(description=_("Take back"), permissions=["act"])
    def revoke(self, request, rows):
        act(self, request, rows, lambda row: row.revoke(by=request.user))


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ["id", "kind", "course", "person", "made", "mailed", "seen"]
    list_filter = ["kind", "made"]
    search_fields = ["course__title", "person__email"]
    list_select_related = ["course", "person"]


@admin.register(Service)
class ServiceAdmin(ReadOnly):
    """Programs stand among the people too; here are those of courses, with their end."""

    fields = ["name", "email", "serves", "is_active", "joined"]
    list_display = ["id", "name", "serves", "is_active", "joined"]
    list_filter = ["is_active"]
    search_fields = ["name", "serves__title"]
    list_select_related = ["serves"]
    actions = ["retire"]

    @admin.action(description=_("End these programs"), permissions=["act"])
    def retire(self, request, rows):
        act(self, request, rows.filter(is_active=True), lambda row: row.retire(by=request.user))


@admin.register(Section)
class SectionAdmin(ReadOnly):
    list_display = ["title", "course", "parent", "position"]
    search_fields = ["title", "course__title"]
    list_select_related = ["course", "parent"]


@admin.register(Text)
class TextAdmin(ReadOnly):
    list_display = ["source_name", "section", "language", "tokens", "version", "state", "added"]
    list_filter = ["state", "language", "kind"]
    search_fields = ["source_name", "sha256"]
    list_select_related = ["section"]


@admin.register(Passage)
class PassageAdmin(ReadOnly):
    named_by = [Text]
    list_display = ["id", "text", "section", "start", "end", "tokens"]
    search_fields = ["text__source_name", "section__title"]
    list_select_related = ["text", "section"]
