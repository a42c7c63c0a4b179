from celery import shared_task

from courses import posting


@shared_task(name="courses.post")
def post():
    posting.post()
