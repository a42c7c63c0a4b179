"""New keys of the installation: everything encrypted is encrypted anew, and then the old one may go."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import CommandError, call_command

from providers.models import Hook, Provider
from tests import factories

OLD, NEW = (Fernet.generate_key().decode() for _turn in range(2))


@pytest.fixture
def sealed_by_old(settings, course, editor):
    settings.FIELD_KEYS = [OLD]
    factories.make_provider(key="sk-some-key-of-a-provider")
    factories.make_provider(key="")
    Authenticator.objects.create(user=editor, type="totp", data={"secret": encrypt("JBSWY3DP")})
    Authenticator.objects.create(
        user=editor, type="recovery_codes", data={"migrated_codes": [encrypt("12345678")]}
    )
    Hook.objects.point(course, "http://127.0.0.1:9/told")
    settings.FIELD_KEYS = [NEW, OLD]


def test_the_command_says_how_many_and_the_old_key_may_go(sealed_by_old, settings, capsys):
    call_command("rotate_keys")
    assert capsys.readouterr().out.splitlines() == [
        "1 keys of providers", "1 webhooks of courses", "2 second factors",
    ]  # fmt: skip
    settings.FIELD_KEYS = [NEW]
    assert Hook.objects.get().secret.startswith("whsec_")
    assert [row.key for row in Provider.objects.order_by("-pk")[:2]][::-1] == [
        "sk-some-key-of-a-provider",
        "",
    ]
    totp, codes = Authenticator.objects.order_by("pk")
    assert (
        decrypt(totp.data["secret"]) == "JBSWY3DP" and decrypt(codes.data["migrated_codes"][0]) == "12345678"
    )


def test_without_it_they_are_lost_with_the_old_key(sealed_by_old, settings):
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(InvalidToken):
        list(Provider.objects.all())


def test_what_no_key_opens_is_named_and_the_rest_is_done(sealed_by_old, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    lost = factories.make_provider(key="sk-another-key-of-a-provider")
    settings.FIELD_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=f"provider {lost.pk}"):
        call_command("rotate_keys")
    settings.FIELD_KEYS = [NEW]
    assert Provider.objects.get(pk=lost.pk - 2).key == "sk-some-key-of-a-provider"
