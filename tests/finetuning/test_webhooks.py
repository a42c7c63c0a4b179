"""What comes to a provider's webhook: good deliveries make a job due at once, hostile ones do nothing at all."""

import base64
import json
import random
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from finetuning.models import Job
from providers.models import Delivery, Provider
from providers.webhooks import opened, sign
from tests import factories

SECRET, OTHERS = (f"whsec_{base64.b64encode(bytes([each]) * 32).decode()}" for each in (1, 2))


@pytest.fixture
def provider(db, there):
    return factories.make_provider(
        base_url=there.base_url, capabilities={"webhooks": True}, webhook_secret=SECRET
    )


@pytest.fixture
def job(running):
    """It runs, and is not due for an hour."""
    job, _remote = running
    Job.objects.filter(pk=job.pk).update(next_poll_at=timezone.now() + timedelta(hours=1))
    job.refresh_from_db()
    return job


def event(remote_id="ftjob-1", kind="fine_tuning.job.succeeded", **more):
    told = {"object": "event", "id": "evt_1", "type": kind, "data": {"id": remote_id}, **more}
    return json.dumps(told).encode()


def signed(body, delivery="wh_1", at=None, secret=SECRET):
    at = int(timezone.now().timestamp()) if at is None else at
    signature = sign(opened(secret), delivery, at, body)
    return {"Webhook-Id": delivery, "Webhook-Timestamp": str(at), "Webhook-Signature": signature}


def send(provider, body, headers):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    address = f"/webhooks/{getattr(provider, 'pk', provider)}/"
    return client.post(address, body, content_type="application/json", headers=headers).status_code


def is_due(job):
    return Job.objects.due(timezone.now()).filter(pk=job.pk).exists()


def test_a_good_delivery_makes_the_job_due_and_is_not_believed(provider, job, sweep, there):
    body = event(job.remote_id)
    assert send(provider, body, signed(body)) == 204
    assert is_due(job)
    job.refresh_from_db()
    assert job.state == "running"
    sweep(job)
    assert job.state == "running"
    there.jobs[job.remote_id].update(status="succeeded", fine_tuned_model="ft:tiny:1")
    sweep(job)
    assert job.state == "succeeded"


def test_a_replay_is_taken_quietly_and_does_nothing(provider, job):
    body = event(job.remote_id)
    headers = signed(body)
    assert send(provider, body, headers) == 204
    Job.objects.filter(pk=job.pk).update(next_poll_at=timezone.now() + timedelta(hours=1))
    assert [send(provider, body, headers) for _turn in range(3)] == [204] * 3
    assert send(provider, body, signed(body)) == 204
    assert not is_due(job) and Delivery.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [event("ftjob-of-nobody"), event(kind="response.completed"), event(None), event("x" * 5000), event({"a": 1}), event("\ud800")],
)  # fmt: skip
def test_what_it_does_not_know_is_taken_quietly(provider, job, body):
    assert send(provider, body, signed(body)) == 204
    assert not is_due(job)


def test_a_job_that_has_ended_stays_ended(provider, job):
    job.advance_to("cancelled")
    body = event(job.remote_id)
    assert send(provider, body, signed(body)) == 204
    job.refresh_from_db()
    assert (job.state, job.next_poll_at) == ("cancelled", None)


def test_a_job_of_another_provider_with_the_same_id_is_not_meant(provider, job):
    other = factories.make_provider(kind="openai", webhook_secret=OTHERS)
    body = event(job.remote_id)
    assert send(other, body, signed(body, secret=OTHERS)) == 204
    assert not is_due(job)


@pytest.mark.parametrize(
    "fields", [{"webhook_secret": ""}, {"webhook_secret": "whsec_"}, {"webhook_secret": "whsec_c2hvcnQ="}, {"is_active": False}, {"capabilities": {}}]
)  # fmt: skip
def test_a_provider_that_sends_none_has_no_such_address(provider, fields):
    Provider.objects.filter(pk=provider.pk).update(**fields)
    body = event()
    assert send(provider, body, signed(body)) == 404
    assert send(2**31, body, signed(body)) == 404


def test_only_a_post_is_answered(provider, client):
    assert client.get(f"/webhooks/{provider.pk}/").status_code == 405


HOSTILE = [
    "", " ", "NaN", "Infinity", "-1", "1e9", "0x10", "9" * 400, "\x00", "\r\nX: 1", "é", "١٢٣", "\ud800", "v1,", "v1", ",",
    "None", "[]", "wh.1", "a" * 201, "\x7f", "v1,====", "v1,é", "\udcff\udcfe", "v1a,abc", "whsec_", "%00", "'; DROP TABLE x;--",
]  # fmt: skip


def hostile(number, dice, remote_id):
    """(body, headers) of one attack; each kind comes again with other numbers."""
    body = event(remote_id, n=number)
    good = signed(body, f"wh_{number}")
    at, name = int(good["Webhook-Timestamp"]), dice.choice(list(good))
    return [
        lambda: (body, {**good, name: dice.choice(HOSTILE)}),
        lambda: (body, {key: value for key, value in good.items() if key != name}),
        lambda: (body, {**good, "Webhook-Signature": "v1," + base64.b64encode(dice.randbytes(32)).decode()}),
        lambda: (body, signed(body, f"wh_{number}", at=at + dice.choice([-1, 1]) * dice.randint(301, 10**8))),
        lambda: (body, signed(body, f"wh_{number}", secret=OTHERS)),
        lambda: (body + b" ", good),
        lambda: (body.replace(b"succeeded", b"cancelled"), good),
        lambda: (dice.randbytes(dice.randint(0, 300)), good),
        lambda: (b"x" * (64 * 1024 + dice.randint(1, 5000)), good),
        lambda: big_but_signed(number),
        lambda: odd_but_signed(number, dice),
        lambda: (body, {**good, "Webhook-Id": f"wh_{number + 1}"}),
        lambda: (body, {**good, "Webhook-Timestamp": str(at + 1)}),
        lambda: (body, {**good, "Webhook-Signature": good["Webhook-Signature"].replace("v1,", dice.choice(["v1a,", "v2,", "V1,", ""]))}),
        lambda: (body, {**good, "Webhook-Signature": " ".join(["v1,abc="] * dice.randint(1, 500))}),
        lambda: (body, {}),
    ][number % 16]()  # fmt: skip


def big_but_signed(number):
    body = event("ftjob-1", filler="x" * 64 * 1024)
    return body, signed(body, f"wh_{number}")


def odd_but_signed(number, dice):
    odd = [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"type": NaN}',
        b"[" * 50_000,
        b"null",
        b'{"type": 1}',
        b"\x00",
        b"9" * 5000,
    ]
    body = dice.choice(odd)
    return body, signed(body, f"wh_{number}")


def test_of_a_thousand_hostile_deliveries_none_is_taken_and_none_breaks_anything(provider, job):
    dice = random.Random(7)
    answers = [send(provider, *hostile(number, dice, job.remote_id)) for number in range(1000)]
    assert set(answers) == {400}
    assert not Delivery.objects.exists() and not is_due(job)
