"""The doorbell and the clock: rows are the queue, so a lost or doubled message costs nothing."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("coursetune")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
