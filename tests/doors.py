"""The two doors of the product: its pages with a session, its API with a token."""

from django.test import Client
from rest_framework.test import APIClient

from accounts.tokens import make_token


def pages(person=None):
    """A browser in which this person has signed in."""
    client = Client()
    if person:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api(person=None):
    """A program that holds a token of this person."""
    client = APIClient()
    if person:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(person, days=1)[1]}")
    return client
