"""Verbs on tokens, the same for page and API."""

from datetime import timedelta

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import Token, record
from accounts.roles import SCOPES

LONGEST = 365  # days


def tokens_of(user):
    return Token.objects.filter(user=user).prefetch_related("courses").order_by("-pk")


def courses_open_to(user):
    """What a token of this person may be limited to."""
    return apps.get_model("courses", "Course").objects.visible_to(user)


def courses_named(user, keys):
    """The courses with these keys; one that is not open to this person does not exist. None means every course."""
    if keys is None:
        return None
    found = list(courses_open_to(user).filter(pk__in=keys))
    missing = sorted(set(keys) - {course.pk for course in found})
    if missing:
        raise ValidationError({"courses": _("There is no course %s.") % ", ".join(map(str, missing))})
    return found


@transaction.atomic
def make_token(user, days, scopes=None, courses=None, name="", by=None):
    """(row, secret): only a hash of the secret is kept, so it is shown once.

    `scopes` are names of SCOPES, all of them by default; `courses` limits it to these.
    """
    scopes = sorted(SCOPES) if scopes is None else sorted(set(scopes))
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise ValidationError({"scopes": _("Choose among: %s.") % ", ".join(SCOPES)})
    _check_reach(by or user, scopes, courses)
    row, secret = Token.objects.create(
        user=user, expiry=timedelta(days=days), name=name, scopes=scopes, every_course=courses is None
    )
    if courses is not None:
        row.courses.set(courses)
    course = courses[0] if courses and len(courses) == 1 else None
    record(by or user, "token.make", row, course, scopes=scopes, days=days, owner=user.pk)
    return row, secret


def _check_reach(by, scopes, courses):
    """Who comes with a token cannot make a wider one of it."""
    own = getattr(by, "scope", None)
    if own is None:
        return
    outside = own.courses is not None and (courses is None or {each.pk for each in courses} - own.courses)
    if outside or set(scopes) - own.names:
        raise PermissionDenied


@transaction.atomic
def revoke_token(user, pk, by=None):
    row = get_object_or_404(tokens_of(user), pk=pk)
    record(by or user, "token.revoke", row, owner=user.pk)
    row.delete()
