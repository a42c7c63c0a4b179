import structlog
from celery import shared_task

from providers import catalogue
from providers.hooks import calling
from providers.models import Delivery, LedgerEntry

log = structlog.get_logger()


@shared_task(name="providers.check_models")
def check_models():
    for change in catalogue.check_due():
        log.info("a model at its provider", model=str(change.row), change=change.text)


@shared_task(name="providers.forget_deliveries")
def forget_deliveries():
    Delivery.objects.forget_old()


@shared_task(name="providers.settle_forgotten")
def settle_forgotten():
    LedgerEntry.objects.settle_forgotten()


@shared_task(name="providers.call_hooks")
def call_hooks():
    calling.call()
