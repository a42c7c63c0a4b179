"""Notices by mail: claimed, then sent. Whoever is killed in between has claimed it, so that nobody gets a letter twice;
the notice itself stands on the course's pages until its reader puts it away. What the server refused is tried again."""

from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.access import rights
from accounts.clock import zone_of
from courses.notices import Notice

log = structlog.get_logger()
MOST_AT_ONCE = 100
SOONEST, LATEST = timedelta(minutes=1), timedelta(days=7)


def post(now=None) -> int:
    """Send what is due, as long as the mail server lets us in; how many letters left."""
    now, sent = now or timezone.now(), 0
    for notice in list(Notice.objects.due(now).select_related("course", "person")[:MOST_AT_ONCE]):
        if not may_read(notice):
            Notice.objects.filter(pk=notice.pk).update(mail_after=None)
            continue
        office = get_connection()
        try:
            office.open()
        except (OSError, SMTPException) as error:
            log.warning("the mail server does not answer", problem=type(error).__name__)
            break
        sent += bool(Notice.objects.claim(notice.pk, now) and hand_over(notice, office, now))
        office.close()
    return sent


def hand_over(notice, office, now) -> bool:
    try:
        return bool(office.send_messages([letter(notice)]))
    except (SMTPRecipientsRefused, SMTPResponseException) as refusal:
        put_back(notice, now, refusal)
    except (OSError, SMTPException, ValueError) as doubt:
        log.error("a notice may not have been mailed", notice=notice.pk, problem=type(doubt).__name__)
    return False


def put_back(notice, now, refusal):
    """Nothing has left: again in as long as it is old, a minute at least, a week at most."""
    age = now - notice.made
    later = now + max(SOONEST, age) if age < LATEST else None
    Notice.objects.filter(pk=notice.pk).update(mailed=None, mail_after=later)
    log.warning("a notice was refused by the mail server", notice=notice.pk, problem=type(refusal).__name__)


def may_read(notice):
    """Who has left the course since, or is no person, gets no letter."""
    person = notice.person
    return not person.is_service and "read" in rights(person, notice.course)


def letter(notice):
    """In the language and by the clock of its reader."""
    with translation.override(notice.person.language), timezone.override(zone_of(notice.person)):
        subject = f"{notice}: {' '.join(notice.course.title.split())}"
        context = {"notice": notice, "course": notice.course, "site": settings.SITE_URL.rstrip("/")}
        text = render_to_string("courses/mail/notice.txt", context)
    return EmailMessage(subject, text.strip() + "\n", to=[notice.person.email])
