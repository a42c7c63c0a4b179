"""Who may do what on a course. These tables are the whole of it; guardian keeps what the first one says.

Staff may do everything on every course. Whoever has no role on a course does not see that it exists.
A token may do what its scopes say and its owner may do, whichever is less.
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
    "see":       {OWN, EDT, REV, STU},    # the course, its members and its texts
    "chat":      {OWN, EDT, REV, STU},    # chat with published assistants
    "read":      {OWN, EDT, REV},         # see examples, versions, jobs, models, evaluations
    "review":    {OWN, EDT, REV},         # approve and reject examples, vote in evaluations
    "edit":      {OWN, EDT},              # change texts, build and change examples
    "freeze":    {OWN, EDT},              # freeze versions, run evaluations
    "train":     {OWN, EDT},              # start and cancel training, spend money
    "publish":   {OWN},                   # publish assistants, make service accounts and their tokens
    "approve":   {OWN},                   # agree to another's paid job or publication
    "manage":    {OWN},                   # members, invitations, audit trail, budget, delete the course
}  # fmt: skip

SCOPES = {
    # a token that may   can do
    "read":   {"see", "read"},
    "build":  {"see", "read", "review", "edit", "freeze"},
    "train":  {"see", "read", "train"},
    "chat":   {"see", "chat"},
    "manage": {"see", "read", "publish", "approve", "manage"},
}  # fmt: skip

ACTIONS = frozenset(MAY)
LABELS = {
    "see": _("See the course"),
    "chat": _("Chat with its assistants"),
    "read": _("See its examples, jobs and evaluations"),
    "review": _("Review its examples"),
    "edit": _("Change its texts and examples"),
    "freeze": _("Freeze its versions and evaluate"),
    "train": _("Train on it and spend money"),
    "publish": _("Publish its assistants and give programs access"),
    "approve": _("Approve paid jobs and publications of others"),
    "manage": _("Manage its members and budget"),
}
SCOPE_LABELS = {
    "read": _("read: texts, examples, jobs, evaluations"),
    "build": _("build: change texts and examples, freeze, evaluate"),
    "train": _("train: start and cancel training, spend money"),
    "chat": _("chat: ask published assistants"),
    "manage": _("manage: members, publishing, approvals"),
}


def codename(action: str) -> str:
    """The guardian permission that stands for an action; seeing is Django's own `view`."""
    return "view_course" if action == "see" else f"{action}_course"


def actions_of(role: str) -> set:
    return {action for action, roles in MAY.items() if role in roles}
