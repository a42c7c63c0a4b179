from django.apps import AppConfig
from django.db.models.signals import post_migrate

from courses import granting


class Courses(AppConfig):
    name = "courses"

    def ready(self):
        post_migrate.connect(follow_the_table_of_roles, sender=self)


def follow_the_table_of_roles(**_more):
    granting.renew()
