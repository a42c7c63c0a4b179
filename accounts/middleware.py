from time import time

from allauth.usersessions.models import UserSession
from django.shortcuts import redirect
from django.utils import timezone, translation

from accounts.clock import zone_of
from accounts.second_factor import lacks_second_factor

SEEN_EVERY = 60  # seconds
OPEN_WITHOUT_SECOND_FACTOR = {
    "mfa_activate_totp", "account_reauthenticate", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key", "account_reset_password_from_key_done", "sign_in", "sign_out", "language",
}  # fmt: skip


def speak_their_language(get_response):
    """A signed-in person's own language comes before the browser's."""

    def middleware(request):
        if request.user.is_authenticated and not request.path.startswith("/api/"):
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return get_response(request)

    return middleware


def go_by_their_clock(get_response):
    """Pages tell the time of the person who reads them; the API tells the server's."""

    def middleware(request):
        person = request.user.is_authenticated and not request.path.startswith("/api/")
        with timezone.override(zone_of(request.user) if person else None):
            return get_response(request)

    return middleware


def see_sessions(get_response):
    """Note that a session is in use, at most once a minute."""

    def middleware(request):
        if request.user.is_authenticated and time() - request.session.get("seen", 0) > SEEN_EVERY:
            UserSession.objects.create_from_request(request)
            request.session["seen"] = int(time())
        return get_response(request)

    return middleware


class SecondFactorFirst:
    """Every page leads whoever must have a second factor to where it is turned on; for the API see authentication."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        is_open = request.resolver_match.url_name in OPEN_WITHOUT_SECOND_FACTOR
        if is_open or request.path.startswith("/api/") or not lacks_second_factor(request.user):
            return None
        return redirect("mfa_activate_totp")
