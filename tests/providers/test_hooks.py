"""A course's own webhook: signed, to public addresses only, again until it answers, once for each notice."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import AuditEntry
from courses.notices import Kind, Notice
from providers.hooks import calling
from providers.models import Hook, HookCall
from providers.webhooks import verified
from tests import factories
from tests.doors import api, pages

URL = "http://127.0.0.1:9/told"


class Reader(ThreadingHTTPServer):
    """Keeps what it is told; answers with each of `statuses` in turn, the last one for ever."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Told)
        self.told, self.statuses = [], [200]
        self.url = f"http://127.0.0.1:{self.server_port}/told"


class Told(BaseHTTPRequestHandler):
    def do_POST(self):
        there = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        there.told.append((self.headers, body))
        status = there.statuses.pop(0) if len(there.statuses) > 1 else there.statuses[0]
        self.send_response(status)
        self.send_header("Location", there.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words):
        pass


@pytest.fixture
def reader():
    with Reader() as there:
        threading.Thread(target=there.serve_forever, args=(0.02,), daemon=True).start()
        yield there
        there.shutdown()


@pytest.fixture
def pointed(course, owner, reader):
    """(hook, its secret)"""
    return Hook.objects.point(course, reader.url, by=owner)


def tell(course, *people, key="1", kind=Kind.JOB_SUCCEEDED):
    Notice.objects.tell(course, kind, key, people, job=7, base="tiny")


def test_a_notice_is_sent_once_however_many_people_it_went_to(
    course, owner, editor, reader, pointed, settings
):
    settings.SITE_URL = "https://coursetune.example/"
    tell(course, owner, editor)
    assert calling.call() == 1 and calling.call() == 0
    [(headers, body)] = reader.told
    assert verified(pointed[1], headers, body) == f"call_{HookCall.objects.get().pk}"
    told = json.loads(body)
    assert (told["type"], told["data"]["course"], told["data"]["job"]) == ("job.succeeded", course.pk, 7)
    assert told["data"]["url"] == "https://coursetune.example/jobs/7/"
    assert told["data"]["text"].startswith("Job 7 on tiny has trained a model.")


def test_what_was_said_before_the_webhook_is_not_sent_and_other_courses_are_not_told(course, owner, reader):
    tell(course, owner)
    Hook.objects.point(course, reader.url, by=owner)
    tell(factories.make_course(owner=owner), owner)
    assert calling.call() == 0 and reader.told == []


def test_it_is_sent_again_later_and_later_with_the_same_id_and_given_up_in_the_end(
    course, owner, reader, pointed
):
    reader.statuses = [500]
    tell(course, owner)
    now = timezone.now()
    for turn in range(1, len(calling.PAUSES) + 2):
        calling.call(now)
        row = HookCall.objects.get()
        assert (len(reader.told), row.attempts, row.status) == (turn, turn, 500)
        calling.call(now + timedelta(seconds=30))
        assert len(reader.told) == turn
        now = row.call_after
    assert now is None
    assert len({headers["webhook-id"] for headers, _body in reader.told}) == 1


def test_it_comes_through_at_the_second_attempt(course, owner, reader, pointed):
    reader.statuses = [503, 204]
    tell(course, owner)
    calling.call()
    assert calling.call(timezone.now() + timedelta(minutes=2)) == 1
    row = HookCall.objects.get()
    assert row.answered and row.call_after is None and row.problem == ""


def test_a_sender_that_was_killed_is_followed_by_another(course, owner, reader, pointed):
    tell(course, owner)
    now = timezone.now()
    calling.gather(now)
    row = HookCall.objects.get()
    assert HookCall.objects.claim(row, now, now + calling.LEASE)
    assert not HookCall.objects.claim(row, now, now + calling.LEASE)
    assert calling.call(now) == 0
    assert calling.call(now + calling.LEASE) == 1 and len(reader.told) == 1


@pytest.mark.parametrize("status", [301, 307])
def test_it_follows_nobody_elsewhere(course, owner, reader, pointed, status):
    reader.statuses = [status]
    tell(course, owner)
    assert calling.call() == 0 and len(reader.told) == 1


def test_an_address_that_is_gone_gets_nothing_more_until_it_is_saved_again(course, owner, reader, pointed):
    reader.statuses = [410, 200]
    tell(course, owner)
    calling.call()
    tell(course, owner, key="2")
    assert calling.call(timezone.now() + timedelta(days=1)) == 0 and len(reader.told) == 1
    assert not Hook.objects.get().is_active
    assert Hook.objects.point(course, reader.url, by=owner)[1] == ""
    tell(course, owner, key="3")
    calling.call()
    assert len(reader.told) == 2 and HookCall.objects.filter(answered__isnull=False).get().key == "3"


def test_one_that_fails_does_not_hold_up_another(course, owner, reader):
    Hook.objects.point(course, URL, by=owner)
    other = factories.make_course(owner=owner)
    Hook.objects.point(other, reader.url, by=owner)
    for key in "12":
        tell(course, owner, key=key)
    tell(other, owner)
    assert calling.call() == 1
    assert sorted(HookCall.objects.values_list("hook__course", "attempts")) == sorted(
        [(course.pk, 0), (course.pk, 1), (other.pk, 1)]
    )
    assert HookCall.objects.get(hook__course=course, attempts=1).problem == "unreachable"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://10.0.0.1/", "https://u:p@example.com/", "x", ""],
)
def test_an_inner_or_plain_address_is_refused_at_every_door(course, owner, settings, url):
    settings.WEBHOOK_HOSTS = []
    settings.PROVIDER_HOSTS = ["127.0.0.1", "10.0.0.0/8"]
    with pytest.raises(ValidationError):
        Hook.objects.point(course, url, by=owner)
    page = pages(owner).post(f"/courses/{course.pk}/webhook/", {"url": url})
    assert page.status_code == 200 and 'class="errorlist"' in page.content.decode()
    answer = api(owner).put(f"/api/courses/{course.pk}/webhook/", {"url": url}, format="json")
    assert answer.status_code == 400 and "url" in answer.json()
    assert not Hook.objects.exists()


def test_the_engine_is_no_address_for_a_webhook(course, owner, settings):
    settings.WEBHOOK_HOSTS = []
    with pytest.raises(ValidationError):
        Hook.objects.point(course, settings.ENGINE_URL, by=owner)


def test_an_address_that_has_moved_inside_is_not_called(course, owner, reader, pointed, settings):
    settings.WEBHOOK_HOSTS = []
    tell(course, owner)
    assert calling.call() == 0 and reader.told == []
    assert HookCall.objects.get().problem == "address"


def test_the_pages_show_the_secret_once_and_what_was_sent(course, owner, reader):
    browser, address = pages(owner), f"/courses/{course.pk}/webhook/"
    page = browser.post(address, {"url": reader.url}).content.decode()
    secret = page.split('id="secret">')[1].split("<")[0]
    assert browser.post(address + "test/").status_code == 302
    assert calling.call() == 1
    headers, body = reader.told[0]
    assert verified(secret, headers, body) and json.loads(body)["type"] == "test"
    page = browser.get(address).content.decode()
    assert secret not in page and "taken" in page
    renewed = browser.post(address + "secret/").content.decode().split('id="secret">')[1].split("<")[0]
    assert renewed != secret
    assert browser.post(address + "remove/").status_code == 302 and not Hook.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="webhook.").order_by("pk")
    assert [*actions.values_list("action", flat=True)] == ["webhook.set", "webhook.secret", "webhook.remove"]
    assert secret not in str([*AuditEntry.objects.values()])


def test_the_api_has_the_same_verbs(course, owner, editor, reader):
    client, address = api(owner), f"/api/courses/{course.pk}/webhook/"
    assert client.get(address).status_code == 404
    made = client.put(address, {"url": reader.url}, format="json").json()
    assert made["secret"].startswith("whsec_") and client.get(address).json()["secret"] == ""
    assert client.put(address, {"url": reader.url}, format="json").json()["secret"] == ""
    assert client.post(address + "test/").status_code == 201
    calling.call()
    [row] = client.get(address + "calls/").json()["results"]
    assert row["kind"] == "test" and row["answered"]
    assert client.post(address + "secret/").json()["secret"] != made["secret"]
    assert api(editor).get(address).status_code == 403
    assert client.delete(address).status_code == 204 and client.get(address).status_code == 404


def test_the_database_holds_no_readable_secret(course, pointed, db):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM providers_hook")
        assert pointed[1] not in str(cursor.fetchall())
