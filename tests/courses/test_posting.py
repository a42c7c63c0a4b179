"""Notices by mail, to a server that refuses, hangs up or is away, and by workers that are killed."""

import os
import signal
from datetime import timedelta
from email import message_from_string, policy

import pytest
from django.db import connections
from django.utils import timezone

from courses.notices import Kind, Notice
from courses.posting import post
from tests.courses.post_office import PostOffice


@pytest.fixture
def office(settings):
    with PostOffice() as office:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", office.port, 5
        settings.SITE_URL = "https://tune.example/"
        yield office


def tell(course, *people, key="1"):
    Notice.objects.tell(course, Kind.JOB_FAILED, key, people, job=1, base="tiny (here)")


def read(letter):
    message = message_from_string(letter, policy=policy.default)
    return message["To"], message["Subject"], message.get_content()


def later(**how):
    return timezone.now() + timedelta(**how)


def test_a_notice_leaves_once_as_a_letter_with_a_link(course, owner, office):
    tell(course, owner)
    assert post() == 1 and post() == 0 and post(later(days=30)) == 0
    [letter] = office.letters
    to, subject, text = read(letter)
    assert (to, subject) == (owner.email, "Training failed: The lighthouse")
    assert "https://tune.example/jobs/1/" in text and "tiny (here)" in text
    assert Notice.objects.get().mailed


def test_a_letter_is_in_the_language_of_its_reader(course, owner, editor, office):
    type(editor).objects.filter(pk=editor.pk).update(language="ru")
    tell(course, owner, editor)
    assert post() == 2
    texts = {to: text for to, _subject, text in map(read, office.letters)}
    assert "The lighthouse" in texts[owner.email] and "You get this letter once" in texts[owner.email]
    assert "You get this letter" not in texts[editor.email]


def test_a_warning_names_the_day_and_where_to_train_it_again(course, owner, office):
    ends = timezone.localdate() + timedelta(days=14)
    facts = {"job": 4, "version": 2, "base": "tiny", "model": "ft:tiny", "ends": ends.isoformat()}
    Notice.objects.tell(course, Kind.MODEL_ENDS, "7", [owner], **facts)
    post()
    text = read(office.letters[0])[2]
    assert f"ft:tiny shuts down on {ends}, in 14 days." in text
    assert "https://tune.example/versions/2/train/?elsewhere=4" in text


def test_a_title_of_two_lines_makes_no_header_of_its_own(course, owner, office):
    type(course).objects.filter(pk=course.pk).update(title="Light\r\nBcc: all@example.org")
    tell(course, owner)
    assert post() == 1
    assert read(office.letters[0])[1] == "Training failed: Light Bcc: all@example.org"


@pytest.mark.parametrize(
    "refused", [{"RCPT": "550 nobody"}, {"MAIL": "421 too busy"}, {"DATA": "451 disk is full"}]
)
def test_what_the_server_refused_goes_out_later(course, owner, office, refused):
    tell(course, owner)
    office.refuses = refused
    assert post() == 0 and not office.letters
    notice = Notice.objects.get()
    assert notice.mailed is None and later(seconds=50) < notice.mail_after < later(seconds=70)
    office.refuses = {}
    assert post() == 0, "not before its time"
    assert post(later(minutes=2)) == 1


def test_what_is_refused_for_a_week_is_given_up_and_stays_on_the_pages(course, owner, office):
    tell(course, owner)
    office.refuses = {"RCPT": "550 nobody"}
    for hour in range(0, 20 * 24, 4):
        post(later(hours=hour))
    notice = Notice.objects.get()
    assert (notice.mail_after, notice.mailed, notice.seen) == (None, None, None)
    assert 4 <= office.calls <= 12


def test_one_address_that_is_refused_holds_up_nobody(course, owner, editor, office):
    tell(course, owner, editor)
    office.refuses = {"RCPT": "550 nobody"}
    post()
    office.refuses = {}
    tell(course, editor, key="2")
    assert post() == 1


def test_while_the_server_is_away_nothing_is_claimed(course, owner, editor, settings, office):
    tell(course, owner, editor)
    settings.EMAIL_PORT = 1
    assert post() == 0
    assert Notice.objects.due(timezone.now()).count() == 2
    settings.EMAIL_PORT = office.port
    assert post() == 2


def test_a_server_that_hangs_up_after_the_letter_is_not_sent_it_again(course, owner, office):
    tell(course, owner)

    def hang_up():
        raise ConnectionAbortedError

    office.at_end = hang_up
    office.handle_error = lambda *_about: None
    assert post() == 0 and len(office.letters) == 1
    office.at_end = lambda: None
    assert post(later(days=1)) == 0 and len(office.letters) == 1


def test_who_has_left_and_who_is_a_program_gets_no_letter(course, owner, reviewer, office):
    program = course.add_service("Sync", "editor", by=owner)
    tell(course, reviewer, program)
    course.remove_member(reviewer, by=owner)
    assert post() == 0 and not office.letters
    assert not Notice.objects.due(later(days=30)).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["while the server takes it", "once it is taken"])
def test_a_worker_that_is_killed_has_not_sent_twice_and_holds_up_nobody(
    course, owner, editor, office, moment
):
    tell(course, owner)
    connections.close_all()
    child = os.fork()
    if not child:
        post()
        os._exit(0)
    office.at_end = lambda: os.kill(child, signal.SIGKILL)
    if moment == "once it is taken":
        office.at_end = lambda: None
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) == (moment == "while the server takes it")
    office.at_end = lambda: None
    tell(course, editor, key="2")
    assert post() == 1 and post(later(days=1)) == 0
    assert sorted(read(each)[0] for each in office.letters) == [editor.email, owner.email]
    assert Notice.objects.filter(seen=None).count() == 2, "both still stand on the pages"
