"""Who has a second factor, who must have one, and whether a code is right."""

from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import record
from common.fields import resealed

NEEDED = _("Staff need a second factor here. Sign in on the site and turn it on under Security.")


def has_second_factor(user):
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def lacks_second_factor(user):
    """Whether this person must turn it on before anything else."""
    return settings.SECOND_FACTOR_FOR_STAFF and user.is_staff and not has_second_factor(user)


def is_right(user, code):
    """A code of the app or a recovery code works once; too many wrong ones raise Throttled."""
    return AuthenticateForm({"code": code}, user=user).is_valid()


@transaction.atomic
def take_second_factor(user, by=None):
    """For whoever lost both telephone and recovery codes."""
    taken, _by_model = Authenticator.objects.filter(user=user).delete()
    if taken:
        record(by, "second_factor.remove", user)


@transaction.atomic
def reseal_second_factor(pk):
    """Encrypt its secret, or its recovery codes, by the first of FIELD_KEYS."""
    row = Authenticator.objects.select_for_update().get(pk=pk)
    for name in {"secret", "seed"} & set(row.data):
        row.data[name] = resealed(row.data[name])
    if row.data.get("migrated_codes"):
        row.data["migrated_codes"] = [resealed(code) for code in row.data["migrated_codes"]]
    row.save(update_fields=["data"])
