from celery import shared_task

from finetuning import polling


@shared_task(name="finetuning.sweep")
def sweep():
    polling.sweep()
