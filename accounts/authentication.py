"""Who calls the API: by the token in the Authorization header, or by a session of the pages."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular import authentication as schemes
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox import auth
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from accounts.models import Token
from accounts.second_factor import NEEDED, lacks_second_factor

USED_EVERY = timedelta(minutes=1)


class TokenAuthentication(auth.TokenAuthentication):
    """knox's, which breaks down on what is not even letters and digits. The person gets the token's scope."""

    def authenticate_credentials(self, token):
        if not token.isalnum():
            raise AuthenticationFailed(_("Invalid token."))
        user, row = super().authenticate_credentials(token)
        _need_second_factor(user)
        user.scope = row.scope
        now = timezone.now()
        if row.last_used is None or now - row.last_used > USED_EVERY:
            Token.objects.filter(pk=row.pk).update(last_used=now)
        return user, row


class SessionAuthentication(authentication.SessionAuthentication):
    def authenticate(self, request):
        found = super().authenticate(request)
        if found:
            _need_second_factor(found[0])
        return found


def _need_second_factor(user):
    if lacks_second_factor(user):
        raise PermissionDenied(NEEDED)


class TokenScheme(KnoxTokenScheme):
    target_class = TokenAuthentication


class SessionScheme(schemes.SessionScheme):
    target_class = SessionAuthentication
