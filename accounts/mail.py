"""Letters to people, in their language. They leave behind the request's back.

How long a mail server takes, and whether it is there at all, would tell a stranger which addresses are known.
"""

from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTPException

import structlog
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.clock import zone_of

log = structlog.get_logger()
office = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def write(user, name, **context):
    """Send templates/accounts/mail/NAME.txt, whose first line is the subject."""
    with translation.override(user.language), timezone.override(zone_of(user)):
        text = render_to_string(f"accounts/mail/{name}.txt", {**context, "user": user})
    post(user.email, text)


def post(address, text):
    """Send this text; its first line is the subject."""
    subject, _line_end, body = text.strip().partition("\n")
    office.submit(_send, EmailMessage(subject.strip(), body.strip() + "\n", to=[address]))


def _send(message):
    try:
        message.send()
    except (OSError, SMTPException, ValueError) as error:
        log.error("a mail was not sent", problem=type(error).__name__)
