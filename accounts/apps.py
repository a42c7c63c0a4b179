from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from accounts import triggers


class Accounts(AppConfig):
    name = "accounts"

    def ready(self):
        post_migrate.connect(guard_the_audit_trail, sender=self)


def guard_the_audit_trail(using, **_more):
    triggers.install(connections[using])
