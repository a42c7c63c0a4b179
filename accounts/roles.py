"""Who may do what on a course. This table is the whole of it; guardian keeps what it says.

Staff may do everything on every course. Whoever has no role on a course does not see that it exists.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    OWNER = "owner", _("owner")
    EDITOR = "editor", _("editor")
    REVIEWER = "reviewer", _("reviewer")
    STUDENT = "student", _("student")


OWN, EDT, REV, STU = Role.OWNER, Role.EDITOR, Role.REVIEWER, Role.STUDENT

MAY = {
    # action      who                what it covers
    "see":       {OWN, EDT, REV, STU},    # the course and its texts
    "chat":      {OWN, EDT, REV, STU},    # chat with published assistants
    "review":    {OWN, EDT, REV},         # see examples, versions, jobs, evaluations; review and vote
    "edit":      {OWN, EDT},              # change texts, build and change examples
    "freeze":    {OWN, EDT},              # freeze versions, run evaluations
    "train":     {OWN, EDT},              # start and cancel training, spend money
    "publish":   {OWN},                   # publish assistants, make tokens for the course
    "manage":    {OWN},                   # members, budget, delete the course
}  # fmt: skip

ACTIONS = frozenset(MAY)
LABELS = {
    "see": _("See the course"),
    "chat": _("Chat with its assistants"),
    "review": _("Review its examples"),
    "edit": _("Change its texts and examples"),
    "freeze": _("Freeze its versions and evaluate"),
    "train": _("Train on it and spend money"),
    "publish": _("Publish its assistants"),
    "manage": _("Manage its members and budget"),
}


def codename(action: str) -> str:
    """The guardian permission that stands for an action; seeing is Django's own `view`."""
    return "view_course" if action == "see" else f"{action}_course"


def actions_of(role: str) -> set:
    return {action for action, roles in MAY.items() if role in roles}
