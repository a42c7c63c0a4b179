"""The signature of a webhook, and what is no secret to check one by."""

import base64
import json

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from openai import OpenAI

from providers.models import KEPT_FOR, Delivery, Provider
from providers.webhooks import BadDelivery, about, check_secret, opened, sign, verified
from tests import factories
from tests.doors import pages

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def now():
    return int(timezone.now().timestamp())


def headers(body, at=None, delivery="wh_1", secret=SECRET):
    at = at or now()
    signature = sign(opened(secret), delivery, at, body)
    return {"webhook-id": delivery, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_the_signature_is_that_of_the_standard():
    """The example of the specification's own libraries."""
    key = opened("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_sdk_signs_and_reads_alike():
    body = b'{"id": "evt_1", "type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}}'
    OpenAI(api_key="none").webhooks.verify_signature(body, headers(body), secret=SECRET)
    assert verified(SECRET, headers(body), body) == "wh_1"


def test_one_good_signature_among_several_is_enough():
    told = headers(b"{}")
    told["webhook-signature"] = f"v2,abc v1,bm90 {told['webhook-signature']} v1,"
    assert verified(SECRET, told, b"{}") == "wh_1"


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_c2hvcnQ=", "sk-abcdefghijklmnopqrstuvwxyz", "whsec_not base64!", "whsec_ключ", "whsec_" + "A" * 31],
)  # fmt: skip
def test_what_is_no_secret_is_refused_and_checks_nothing(secret):
    with pytest.raises(ValidationError):
        check_secret(secret)
    with pytest.raises(BadDelivery):
        verified(secret, headers(b"{}"), b"{}")


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 86400])
def test_a_time_too_far_off_is_refused(seconds):
    with pytest.raises(BadDelivery, match="time"):
        verified(SECRET, headers(b"{}", at=now() + seconds), b"{}")


@pytest.mark.parametrize("seconds", [-295, 0, 295])
def test_clocks_may_differ_by_five_minutes(seconds):
    assert verified(SECRET, headers(b"{}", at=now() + seconds), b"{}")


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"type": "fine_tuning.job.failed", "data": {"id": "ftjob-1"}}, "ftjob-1"),
        ({"type": "of.the.future", "data": {}}, ""),
        ({"type": "x", "data": {"id": 5}}, ""),
        ({"type": "x", "data": {"id": "a\x00b"}}, ""),
        ({"type": "x", "data": {"id": "\ud800"}}, ""),
        ({"type": "x", "data": []}, ""),
        ({"type": "x"}, ""),
    ],
)
def test_what_an_event_is_about(event, named):
    assert about(json.dumps(event).encode()) == named


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type": NaN}', b"\xff", b"[" * 60_000, b"null"])
def test_what_is_no_event(body):
    with pytest.raises(BadDelivery):
        about(body)


def test_staff_give_the_secret_and_never_see_it_again(db):
    root = factories.make_user(is_staff=True, is_superuser=True)
    row = factories.make_provider(kind="openai", base_url="https://api.example.org/v1")
    address = f"/admin/providers/provider/{row.pk}/change/"
    form = {
        "name": row.name, "kind": "openai", "base_url": row.base_url, "capabilities": "{}", "is_active": "on",
    }  # fmt: skip
    bad = pages(root).post(address, {**form, "new_webhook_secret": "whsec_c2hvcnQ="})
    assert bad.status_code == 200 and "begins with whsec_" in bad.content.decode()
    assert pages(root).post(address, {**form, "new_webhook_secret": SECRET}).status_code == 302
    assert Provider.objects.get(pk=row.pk).webhook_secret == SECRET
    page = pages(root).get(address).content.decode()
    assert f"/webhooks/{row.pk}/" in page and SECRET not in page and SECRET[6:] not in page
    assert pages(root).post(address, {**form, "new_webhook_secret": ""}).status_code == 302
    assert Provider.objects.get(pk=row.pk).webhook_secret == SECRET


def test_old_deliveries_are_forgotten(db):
    row = factories.make_provider()
    old, fresh = (Delivery.objects.create(provider=row, webhook_id=name) for name in ("old", "fresh"))
    Delivery.objects.filter(pk=old.pk).update(at=timezone.now() - KEPT_FOR * 1.01)
    assert Delivery.objects.forget_old() == 1
    assert Delivery.objects.get() == fresh
