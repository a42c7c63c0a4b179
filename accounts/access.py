"""Default deny: what a person may see and do on a course and on everything below it."""

from operator import attrgetter

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from accounts.roles import ACTIONS, codename


def courses_where(user, action):
    """Courses on which this person may do this; nothing for the inactive and the anonymous."""
    course = apps.get_model("courses", "Course")
    if not user.is_active or not user.is_authenticated:
        return course._base_manager.none()
    if user.is_staff:
        return course._base_manager.all()
    granted = Q(permission__codename=codename(action), content_object=OuterRef("pk"))
    direct = get_user_obj_perms_model(course).objects.filter(granted, user=user)
    by_group = get_group_obj_perms_model(course).objects.filter(granted, group__user=user)
    return course._base_manager.filter(Exists(direct) | Exists(by_group))


def rights(user, course) -> frozenset:
    """The actions open to this person on this course, read once per request."""
    if not user.is_active or not user.is_authenticated:
        return frozenset()
    if user.is_staff:
        return ACTIONS
    known = user.__dict__.setdefault("_rights", {})
    if course.pk not in known:
        held = {"content_object": course}
        direct = get_user_obj_perms_model(course).objects.filter(user=user, **held)
        by_group = get_group_obj_perms_model(course).objects.filter(group__user=user, **held)
        names = set(
            direct.values_list("permission__codename", flat=True).union(
                by_group.values_list("permission__codename", flat=True)
            )
        )
        known[course.pk] = frozenset(action for action in ACTIONS if codename(action) in names)
    return known[course.pk]


class CourseRows(models.QuerySet):
    """Rows that belong to a course: the model names the way there and what it takes to see them.

    COURSE is the lookup from the row to its course ("" for the course itself), SEEN_WITH an action.
    """

    def visible_to(self, user):
        seen = courses_where(user, getattr(self.model, "SEEN_WITH", "review"))
        return self.filter(**{f"{self.model.COURSE or 'pk'}__in": seen.values("pk")})

    def of(self, course):
        return self.filter(**{self.model.COURSE or "pk": course})


def course_of(row):
    path = type(row).COURSE
    return attrgetter(path.replace("__", "."))(row) if path else row


def find(model, pk, user, to="see"):
    """The row with this key: 404 where `user` may not see it, 403 where they may not do `to`."""
    rows = model.objects.visible_to(user)
    if model.COURSE:
        rows = rows.select_related(model.COURSE)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    if to != "see" and to not in rights(user, course_of(row)):
        raise PermissionDenied
    return row
