"""The two doors of the product: its pages with a session, its API with a token."""

from time import time

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.tokens import make_token


def pages(person=None):
    """A browser in which this person has signed in."""
    client = Client()
    if person:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        session = client.session
        session["seen"] = int(time())  # the first request of a minute costs some queries more
        session.save()
    return client


def api(person=None):
    """A program that holds a token of this person."""
    client = APIClient()
    if person:
        row, secret = make_token(person, days=1)
        Token.objects.filter(pk=row.pk).update(last_used=timezone.now())  # so that no request writes it down
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client
