"""A ring makes the sweep come sooner. The rows are the queue, so a ring that nobody hears costs one sweep."""

import structlog
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger()
ONCE = {"max_retries": 0}


def ring(task):
    """Send the task once this transaction is committed; a broker that is down is no error here."""
    transaction.on_commit(lambda: _ring(task))


def _ring(task):
    try:
        task.apply_async(retry_policy=ONCE, expires=30)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("the broker did not hear the ring", task=task.name, problem=type(error).__name__)
