from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ExampleState(TextChoices):
    DRAFT = "draft", _("draft")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Origin(TextChoices):
    WRITTEN = "written", _("written")
    IMPORTED = "imported", _("imported")
    GENERATED = "generated", _("built from the text")
    FEEDBACK = "feedback", _("from use")


class Split(TextChoices):
    TRAIN = "train", _("training")
    VALIDATION = "validation", _("validation")
    TEST = "test", _("test")


DRAFT, APPROVED, REJECTED = ExampleState
EXAMPLE_MOVES = {
    DRAFT: [APPROVED, REJECTED],
    APPROVED: [DRAFT, REJECTED],
    REJECTED: [DRAFT, APPROVED],
}
