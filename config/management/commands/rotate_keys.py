from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError

from accounts.second_factor import reseal_second_factor
from providers.models import Hook, Provider
from providers.rotating import rotate_hook, rotate_key


class Command(BaseCommand):
    help = (
        "Encrypt all keys of providers, secrets of webhooks and second factors anew, by the first of FIELD_KEYS. "
        "After that the older ones can be taken out of FIELD_KEYS."
    )

    def handle(self, *args, **options):
        with_secrets = Provider.objects.exclude(key="", webhook_secret="")
        closed = [
            *self.rotate("provider", "keys of providers", with_secrets, rotate_key),
            *self.rotate("webhook", "webhooks of courses", Hook.objects.all(), rotate_hook),
            *self.rotate(
                "second factor", "second factors", Authenticator.objects.all(), reseal_second_factor
            ),
        ]
        if closed:
            raise CommandError(f"None of FIELD_KEYS opens: {', '.join(closed)}. Keep the older keys.")

    def rotate(self, word, words, rows, verb):
        """What could not be opened; the rest is encrypted anew."""
        closed, done = [], 0
        for pk in rows.order_by("pk").values_list("pk", flat=True):
            try:
                verb(pk)
                done += 1
            except InvalidToken:
                closed.append(f"{word} {pk}")
        self.stdout.write(f"{done} {words}")
        return closed
