"""A ring only makes things sooner: without a broker nothing is lost and nobody waits."""

import time

import pytest
from structlog.testing import capture_logs

from common.doorbell import ring
from finetuning.tasks import sweep


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_a_line_in_the_log_and_no_error():
    begun = time.monotonic()
    with capture_logs() as lines:
        ring(sweep)
    assert [line["task"] for line in lines] == ["finetuning.sweep"]
    assert time.monotonic() - begun < 1, "a page must not wait for a broker that is down"


def test_it_rings_after_the_commit_and_not_before(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        ring(sweep)
    assert len(waiting) == 1
