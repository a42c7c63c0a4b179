"""Default deny: what a person may see and do on a course and on everything below it."""

from functools import cache
from operator import attrgetter

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from accounts.roles import ACTIONS, codename

CODENAMES = {codename(action): action for action in ACTIONS}


def courses_where(user, action):
    """Courses on which this person may do this; nothing for the inactive and the anonymous."""
    course = apps.get_model("courses", "Course")
    scope = getattr(user, "scope", None)
    if not user.is_active or not user.is_authenticated or (scope and action not in scope.actions):
        return course._base_manager.none()
    rows = course._base_manager.all()
    if scope and scope.courses is not None:
        rows = rows.filter(pk__in=scope.courses)
    if user.is_staff:
        return rows
    granted = Q(permission__codename=codename(action), content_object=OuterRef("pk"))
    direct = get_user_obj_perms_model(course).objects.filter(granted, user=user)
    by_group = get_group_obj_perms_model(course).objects.filter(granted, group__user=user)
    return rows.filter(Exists(direct) | Exists(by_group))


def rights(user, course) -> frozenset:
    """The actions open to this person on this course, read once per request by one query.

    Whoever comes with a token may do what its scope and its owner's role both allow.
    """
    if not user.is_active or not user.is_authenticated:
        return frozenset()
    known = user.__dict__.setdefault("_rights", {})
    if course.pk not in known:
        held = ACTIONS if user.is_staff else _granted(user.pk, course.pk)
        scope = getattr(user, "scope", None)
        known[course.pk] = held & scope.on(course.pk) if scope else held
    return known[course.pk]


def _granted(user, course) -> frozenset:
    with connection.cursor() as cursor:
        cursor.execute(_grants_sql(), [user, course, user, course])
        return frozenset(CODENAMES[name] for (name,) in cursor.fetchall() if name in CODENAMES)


@cache
def _grants_sql():
    """Permissions given to the person and to their groups. The ORM takes ten times as long to write this down."""
    course = apps.get_model("courses", "Course")
    direct, by_group = get_user_obj_perms_model(course), get_group_obj_perms_model(course)
    groups = apps.get_model("accounts", "User").groups.through
    permissions = direct._meta.get_field("permission").related_model
    return f"""
        SELECT p.codename FROM {direct._meta.db_table} g JOIN {permissions._meta.db_table} p
            ON p.id = g.permission_id WHERE g.user_id = %s AND g.content_object_id = %s
        UNION SELECT p.codename FROM {groups._meta.db_table} m JOIN {by_group._meta.db_table} g
            ON g.group_id = m.group_id JOIN {permissions._meta.db_table} p
            ON p.id = g.permission_id WHERE m.user_id = %s AND g.content_object_id = %s"""


class CourseRows(models.QuerySet):
    """Rows that belong to a course: the model names the way there and what it takes to see them.

    COURSE is the lookup from the row to its course ("" for the course itself), SEEN_WITH an action.
    """

    def visible_to(self, user):
        seen = courses_where(user, getattr(self.model, "SEEN_WITH", "read"))
        return self.filter(**{f"{self.model.COURSE or 'pk'}__in": seen.values("pk")})

    def of(self, course):
        return self.filter(**{self.model.COURSE or "pk": course})


def course_of(row):
    path = type(row).COURSE
    return attrgetter(path.replace("__", "."))(row) if path else row


def seen_with(row) -> set:
    """Any of these actions lets one see this row: its model's, unless the row has a rule of its own."""
    return getattr(row, "seen_with", None) or {getattr(type(row), "SEEN_WITH", "read")}


def find(model, pk, user, to="see"):
    """The row with this key: 404 where `user` may not see it, 403 where they may not do `to`."""
    rows = model.objects.select_related(model.COURSE) if model.COURSE else model.objects
    try:
        row = rows.get(pk=pk)
    except ObjectDoesNotExist:
        raise Http404 from None
    may = rights(user, course_of(row))
    if not seen_with(row) & may:
        raise Http404
    if to != "see" and to not in may:
        raise PermissionDenied
    return row
