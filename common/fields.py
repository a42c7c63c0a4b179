from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@cache
def box(keys):
    return MultiFernet([Fernet(key) for key in keys])


def resealed(sealed: str) -> str:
    """The same secret as the first of FIELD_KEYS encrypts it; InvalidToken where none of them opens it."""
    return box(tuple(settings.FIELD_KEYS)).rotate(sealed.encode()).decode()


class EncryptedField(models.TextField):
    """Text that the database holds encrypted; the first of FIELD_KEYS encrypts, any of them decrypts.

    A value that none of the keys opens raises cryptography.fernet.InvalidToken.
    """

    def from_db_value(self, value, expression, connection):
        return box(tuple(settings.FIELD_KEYS)).decrypt(value.encode()).decode() if value else ""

    def get_prep_value(self, value):
        return box(tuple(settings.FIELD_KEYS)).encrypt(value.encode()).decode() if value else ""
