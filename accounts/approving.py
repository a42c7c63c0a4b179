"""The two-person rule: who asks for a thing does not agree to it."""

from django.utils.translation import gettext as _

from common.states import Refused


def check_second_person(by, asked):
    """Refused unless `by` is a person, and another than who asked. That they hold the right is the door's to see."""
    if by.is_service:
        raise Refused(_("A program cannot approve: ask a person."))
    if asked is None or by.pk == asked.pk:
        raise Refused(_("Who asks cannot approve: another owner or staff must."))
    if asked.is_service and not by.is_staff:  # whoever holds its token may be the one who approves
        raise Refused(_("A program asked for this: staff must approve it."))
