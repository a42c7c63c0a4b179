"""The token in the Authorization header."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox import auth
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import Token

USED_EVERY = timedelta(minutes=1)


class TokenAuthentication(auth.TokenAuthentication):
    """knox's, which breaks down on what is not even letters and digits. The person gets the token's scope."""

    def authenticate_credentials(self, token):
        if not token.isalnum():
            raise AuthenticationFailed(_("Invalid token."))
        user, row = super().authenticate_credentials(token)
        user.scope = row.scope
        now = timezone.now()
        if row.last_used is None or now - row.last_used > USED_EVERY:
            Token.objects.filter(pk=row.pk).update(last_used=now)
        return user, row


class TokenScheme(KnoxTokenScheme):
    target_class = TokenAuthentication
