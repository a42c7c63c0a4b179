"""The letter that brings an invitation."""

from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

log = structlog.get_logger()


def link(secret):
    """Never built from the request: its Host header is the client's word."""
    return f"{settings.SITE_URL.rstrip('/')}{reverse('join', args=[secret])}"


def send(invitation, secret) -> bool:
    """False where the mail could not be handed over; the link still works."""
    with translation.override(invitation.course.language):
        subject = _("Invitation to “%s”") % " ".join(invitation.course.title.split())
        text = _(
            "You are invited to the course “%(course)s” as %(role)s.\n\n"
            "Open this link to join. It works once, until %(expires)s:\n\n%(link)s\n\n"
            "If you do not expect this, leave it alone: nothing happens without you.\n"
        ) % {
            "course": invitation.course.title,
            "role": invitation.get_role_display(),
            "expires": invitation.expires.strftime("%Y-%m-%d %H:%M %Z"),
            "link": link(secret),
        }
    try:
        send_mail(subject, text, None, [invitation.email])
    except (SMTPException, OSError) as error:
        log.warning("an invitation was not mailed", invitation=invitation.pk, problem=type(error).__name__)
        return False
    return True
