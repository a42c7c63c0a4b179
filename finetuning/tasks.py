from celery import shared_task

from finetuning import polling, retiring


@shared_task(name="finetuning.sweep")
def sweep():
    polling.sweep()


@shared_task(name="finetuning.watch")
def watch():
    retiring.watch()
