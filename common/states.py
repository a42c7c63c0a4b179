"""Rows that have a state: the legal moves are one table, a move is one conditional UPDATE."""

from django.db import models, transaction
from django.utils.translation import gettext as _


class Refused(Exception):
    """What was asked for cannot be done now; the text says why and what to do."""


class IllegalMove(Refused):
    """The row is not in a state that this move starts from."""


class Stateful(models.Model):
    """Subclasses give `state`, `MOVES` {state: [states]}, and a related `moves` where history is kept."""

    MOVES: dict = {}

    class Meta:
        abstract = True

    @property
    def is_final(self):
        return not self.MOVES.get(self.state)

    def _move(self, to, by=None, note="", sources=None, **changes):
        """Change state and record it, or raise IllegalMove: of two callers at once, one wins."""
        sources = sources or [state for state, targets in self.MOVES.items() if to in targets]
        with transaction.atomic():
            here = type(self).objects.filter(pk=self.pk, state__in=sources)
            if not here.update(state=to, **changes):
                self.refresh_from_db(fields=["state"])
                raise IllegalMove(
                    _("%(row)s is “%(here)s” and cannot become “%(there)s”.")
                    % {"row": self, "here": self.get_state_display(), "there": to.label}
                )
            self._remember(to, by, note)
        self.refresh_from_db(fields=["state", *changes])

    def _remember(self, to, by, note):
        self.moves.create(state=to, by=by, note=note)


class Sweepable(models.Model):
    """A row that a periodic sweep takes forward by short steps, one worker at a time."""

    next_poll_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        abstract = True


class SweepQuerySet(models.QuerySet):
    def due(self, now):
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=now)
        return self.filter(free, next_poll_at__lte=now).order_by("next_poll_at", "pk")

    def claim(self, pk, now, until):
        """True for the one caller that may work on the row until `until`."""
        return bool(self.due(now).filter(pk=pk).order_by().update(lease_until=until))

    def release(self, pk, **changes):
        self.filter(pk=pk).update(lease_until=None, **changes)


def unless_asked(later, since):
    """For `next_poll_at`: `later`, unless the row was asked for since then; what it was asked for stays."""
    asked = models.When(next_poll_at__gt=since, then=models.F("next_poll_at"))
    return models.Case(asked, default=models.Value(later, models.DateTimeField()))
