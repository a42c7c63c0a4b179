"""Where a person is signed in, and ending it."""

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.shortcuts import get_object_or_404

from accounts.models import record

BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrom": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iOS", "iPad": "iOS", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux",
}  # fmt: skip


def sessions_of(user, current=None):
    """Those that are still good, the last used first; `current` is the key of the one that asks."""
    rows = sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.last_seen_at, reverse=True)
    for row in rows:
        row.browser = browser(row.user_agent)
        row.current = row.session_key == current
    return rows


def end_session(user, pk):
    """Its next request is that of a guest."""
    _end(user, [get_object_or_404(UserSession, user=user, pk=pk)])


def end_other_sessions(user, current):
    _end(user, UserSession.objects.filter(user=user).exclude(session_key=current or ""))


@transaction.atomic
def _end(user, rows):
    for row in rows:
        row.end()
        record(user, "session.end", user)


def browser(agent):
    """“Firefox, Linux”, as far as the browser tells."""
    names = (
        next((name for mark, name in marks.items() if mark in agent), "") for marks in (BROWSERS, SYSTEMS)
    )
    return ", ".join(filter(None, names)) or agent[:40]
