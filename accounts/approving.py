"""The two-person rule: who asks for a thing does not agree to it."""

from django.utils.translation import gettext as _

from common.states import Refused


def check_second_person(by, asked):
    """Refused unless `by` is a person, and another than who asked. That they hold the right is the door's to see."""
    if by.is_service:
        raise Refused(_("A program cannot approve: ask a person."))
    if asked is None or by.pk == asked.pk:
        raise Refused(_("Who asks cannot approve: another owner or staff must."))
