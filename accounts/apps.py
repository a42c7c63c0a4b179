from django.apps import AppConfig, apps
from django.contrib import admin
from django.db import connections
from django.db.models.signals import post_migrate

from accounts import triggers


class Accounts(AppConfig):
    name = "accounts"

    def ready(self):
        post_migrate.connect(guard_the_audit_trail, sender=self)
        hide_allauth_from_the_admin()


def guard_the_audit_trail(using, **_more):
    triggers.install(connections[using])


def hide_allauth_from_the_admin():
    """Its pages show the secrets of second factors and offer addresses that mean nothing here."""
    for label in ("account", "mfa", "usersessions"):
        models = apps.get_app_config(label).get_models()
        admin.site.unregister([model for model in models if admin.site.is_registered(model)])
