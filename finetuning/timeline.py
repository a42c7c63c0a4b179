"""The moves of a job on an axis of time."""

from django.utils import timezone
from django.utils.translation import gettext as _

from common.spans import Span, Spans, elapsed


def timeline(job, moves) -> Spans:
    """A bar for each state that the job was in; the last one still grows, or is the end."""
    ends = [move.at for move in moves[1:]] + [None if job.is_final else timezone.now()]
    spans = [
        Span(move.get_state_display(), move.at, end, move.state)
        for move, end in zip(moves, ends, strict=True)
    ]
    marks = [(job.finishes_at, _("expected end"))] if job.finishes_at and not job.is_final else []
    return Spans(_("Timeline"), spans, marks)


def duration(job) -> str:
    """From the order to the end, or until now."""
    return elapsed(((job.ended or timezone.now()) - job.created).total_seconds())
