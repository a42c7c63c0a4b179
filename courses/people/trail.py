"""The audit trail of one course: filtered, as a page, and as a file."""

import json

from accounts.models import AuditEntry

HEAD = [
    "at", "person", "role", "action", "object type", "object", "object label", "before", "after", "details",
    "address", "request",
]  # fmt: skip


def trail(course, action="", person=None, since=None, until=None):
    """Newest first. `person` is the key of who acted; days are whole days of the present time zone."""
    rows = AuditEntry.objects.filter(course_id=course.pk).select_related("actor").order_by("-pk")
    wanted = {"action": action, "actor": person, "at__date__gte": since, "at__date__lte": until}
    return rows.filter(**{name: value for name, value in wanted.items() if value})


def lines(rows):
    for row in rows.iterator(chunk_size=500):
        yield [
            row.at.isoformat(), row.actor_id, row.role, row.action, row.object_type, row.object_id,
            row.object_label, _text(row.before), _text(row.after), _text(row.details or None), row.address,
            row.request_id,
        ]  # fmt: skip


def _text(value):
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
