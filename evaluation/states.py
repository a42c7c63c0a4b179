from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EvaluationState(TextChoices):
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Side(TextChoices):
    BASE = "base", _("base model")
    TUNED = "tuned", _("tuned model")


class Outcome(TextChoices):
    BETTER = "better", _("tuning helped")
    WORSE = "worse", _("tuning made it worse")
    UNCLEAR = "unclear", _("no clear difference")


RUNNING, DONE, FAILED, CANCELLED = EvaluationState
MOVES = {RUNNING: [DONE, FAILED, CANCELLED], DONE: [], FAILED: [], CANCELLED: []}
