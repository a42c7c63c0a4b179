from celery import shared_task

from finetuning import deploying, polling, retiring, tidying


@shared_task(name="finetuning.sweep")
def sweep():
    polling.sweep()


@shared_task(name="finetuning.sweep_deployments")
def sweep_deployments():
    deploying.sweep()


@shared_task(name="finetuning.watch")
def watch():
    deploying.keep_days()
    retiring.watch()


@shared_task(name="finetuning.tidy")
def tidy():
    tidying.tidy()
