"""How far a token reaches: some of its owner's actions, on some of their courses."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from accounts.roles import SCOPES


@dataclass(frozen=True)
class Scope:
    """What a request that came with a token may do at most; `courses` is None where all are open to it."""

    names: frozenset
    courses: frozenset | None = None

    @property
    def actions(self) -> frozenset:
        return frozenset().union(*(SCOPES[name] for name in self.names))

    def on(self, course) -> frozenset:
        return self.actions if self.courses is None or course in self.courses else frozenset()

    @property
    def is_whole(self):
        return self.courses is None and self.names == set(SCOPES)


def need_whole(user):
    """What belongs to no course (one's account, one's tokens, a new course) is closed to limited tokens."""
    scope = getattr(user, "scope", None)
    if scope and not scope.is_whole:
        raise PermissionDenied
