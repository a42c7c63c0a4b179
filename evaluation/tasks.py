from celery import shared_task

from evaluation import answering


@shared_task(name="evaluation.sweep")
def sweep():
    answering.sweep()
