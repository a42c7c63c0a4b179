"""The states of a job and the legal moves between them, in one table."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    PROPOSED = "proposed", _("waiting for approval")
    INTENDED = "intended", _("waiting to start")
    SENDING = "sending", _("starting")
    VALIDATING = "validating", _("checking files")
    QUEUED = "queued", _("in the queue")
    RUNNING = "running", _("training")
    PAUSED = "paused", _("paused")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Method(TextChoices):
    SUPERVISED = "supervised", _("supervised")
    DPO = "dpo", _("preferences (DPO)")


PROPOSED, INTENDED, SENDING, VALIDATING, QUEUED, RUNNING, PAUSED, SUCCEEDED, FAILED, CANCELLED = JobState
FOLLOWED = [VALIDATING, QUEUED, RUNNING, PAUSED]
FINAL = [SUCCEEDED, FAILED, CANCELLED]
PAUSABLE = [VALIDATING, QUEUED, RUNNING]
LIVE = [PROPOSED, INTENDED, SENDING, *FOLLOWED]

MOVES = {
    PROPOSED: [INTENDED, CANCELLED],
    INTENDED: [SENDING, FAILED, CANCELLED],
    SENDING: [INTENDED, *FOLLOWED, *FINAL],
    VALIDATING: [QUEUED, RUNNING, PAUSED, *FINAL],
    QUEUED: [VALIDATING, RUNNING, PAUSED, *FINAL],
    RUNNING: [QUEUED, PAUSED, *FINAL],
    PAUSED: [QUEUED, RUNNING, *FINAL],
    SUCCEEDED: [],
    FAILED: [],
    CANCELLED: [],
}

# What the provider calls it. A word that is not here leaves the state as it is: it may not be the end.
STATUS = {
    "validating_files": VALIDATING,
    "queued": QUEUED,
    "running": RUNNING,
    "pausing": RUNNING,
    "paused": PAUSED,
    "succeeded": SUCCEEDED,
    "failed": FAILED,
    "cancelled": CANCELLED,
}
