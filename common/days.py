"""The last day of something, in words: how far off it is, and how loud to say so."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SOON, VERY_SOON = 60, 14  # days


def far_off(day, today=None) -> str:
    """“in 50 days”, “today”, “3 days ago”."""
    left = (day - (today or timezone.localdate())).days
    if not left:
        return _("today")
    told = (
        ngettext("in %d day", "in %d days", left)
        if left > 0
        else ngettext("%d day ago", "%d days ago", -left)
    )
    return told % abs(left)


def shuts_down(day, today=None) -> str:
    today = today or timezone.localdate()
    text = (
        _("shuts down on %(day)s, %(off)s") if day >= today else _("has been shut down on %(day)s, %(off)s")
    )
    return text % {"day": day.isoformat(), "off": far_off(day, today)}


def closes(day, today=None) -> str:
    today = today or timezone.localdate()
    text = _("tuning closes on %(day)s, %(off)s") if day >= today else _("tuning closed on %(day)s, %(off)s")
    return text % {"day": day.isoformat(), "off": far_off(day, today)}


def urgency(day, today=None) -> str:
    """The colour that goes with it: calm, soon, late."""
    left = (day - (today or timezone.localdate())).days
    return "late" if left <= VERY_SOON else "soon" if left <= SOON else "calm"
