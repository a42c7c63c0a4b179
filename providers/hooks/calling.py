"""Send a course's notices to its webhook, signed as Standard Webhooks.

A call is claimed, sent, and put down as answered. Whoever is killed in between has not put it down: it is sent again,
with the same `webhook-id`, by which its reader knows it.
"""

import json
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from courses.notices import Notice
from providers.addresses import WEBHOOKS
from providers.connecting import post
from providers.errors import BadAddress
from providers.hooks.models import TEST, HookCall
from providers.webhooks import opened, sign

MOST_AT_ONCE = 100
PATIENCE = 10  # seconds
LEASE = timedelta(minutes=2)
PAUSES = [timedelta(minutes=each) for each in (1, 5, 30, 120, 300, 600, 1440)]
GONE = 410


def call(now=None) -> int:
    """Send what is due; how many were answered. An address that fails is left alone until the next round."""
    now, answered, failed = now or timezone.now(), 0, set()
    gather(now)
    for row in list(HookCall.objects.due(now).select_related("hook__course")[:MOST_AT_ONCE]):
        if row.hook_id not in failed and HookCall.objects.claim(row, now, now + LEASE):
            if send(row, now):
                answered += 1
            else:
                failed.add(row.hook_id)
    return answered


def gather(now):
    """A call for each notice since the webhook is there: one, to however many people it went."""
    hook = F("course__hook")
    called = HookCall.objects.filter(
        hook__course=OuterRef("course"), kind=OuterRef("kind"), key=OuterRef("key")
    )
    new = Notice.objects.filter(
        ~Exists(called), course__hook__is_active=True, made__gte=F("course__hook__since")
    )
    rows = (
        new.annotate(hook=hook)
        .order_by("pk")
        .values("hook", "kind", "key", "data", "made")[: 10 * MOST_AT_ONCE]
    )
    HookCall.objects.bulk_create(
        [HookCall(hook_id=row.pop("hook"), call_after=now, **row) for row in rows],
        ignore_conflicts=True,
        batch_size=500,
    )


def send(row, now) -> bool:
    status = None
    try:
        status = attempt(row)
        problem = HookCall.Problem.STATUS if status else HookCall.Problem.UNREACHABLE
    except BadAddress:
        problem = HookCall.Problem.ADDRESS
    rows = HookCall.objects.filter(pk=row.pk)
    if status and 200 <= status < 300:
        return bool(rows.update(answered=timezone.now(), call_after=None, problem="", status=status))
    attempts = row.attempts + 1
    again = attempts <= len(PAUSES) and row.kind != TEST
    later = now + PAUSES[attempts - 1] if again else None
    rows.update(problem=problem, status=status, call_after=later)
    if status == GONE:
        row.hook.close()
    return False


def attempt(row) -> int | None:
    """The status of the answer, None where there is none; BadAddress."""
    hook, body = row.hook, body_of(row)
    delivery, at = f"call_{row.pk}", int(timezone.now().timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "CourseTune",
        "webhook-id": delivery,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(opened(hook.secret), delivery, at, body),
    }
    return post(hook.url, body, headers, WEBHOOKS, PATIENCE)


def body_of(row) -> bytes:
    """What is sent: the kind, when it was made, and its facts, with a sentence in the course's language."""
    course, site = row.hook.course, settings.SITE_URL.rstrip("/")
    with translation.override(course.language):
        if row.kind == TEST:
            text, path = _("A test of the webhook of “%s”.") % course, reverse("hook", args=[course.pk])
        else:
            notice = Notice(course=course, kind=row.kind, key=row.key, data=row.data)
            text, path = notice.text, notice.path
    facts = {**row.data, "course": course.pk, "text": str(text), "url": site + path}
    told = {"type": row.kind, "timestamp": row.made.isoformat(), "data": facts}
    return json.dumps(told, ensure_ascii=False).encode()
