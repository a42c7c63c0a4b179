"""allauth signs people in; here is what is otherwise with us."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context, ratelimit
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.mail import write
from accounts.models import User, record
from accounts.throttling import too_many
from common.fields import box

NOWHERE = "0.0.0.0"
THROTTLED = {"too_many_login_attempts", "rate_limited"}
WORDS = {
    "email_password_mismatch": _("Email or password is wrong."),
    "incorrect_password": _("The password is wrong."),
    "enter_current_password": _("The password is wrong."),
    "invalid_password_reset": _("This link is used or too old."),
}
EVENTS = {
    # allauth's name               on the audit trail        in the mail and on the page
    "account/email/password_changed": ("password.change", _("The password is changed.")),
    "account/email/password_reset": ("password.reset", _("The password is set anew.")),
    "mfa/email/totp_activated": ("second_factor.add", _("The second factor is on.")),
    "mfa/email/totp_deactivated": ("second_factor.remove", _("The second factor is off.")),
    "mfa/email/recovery_codes_generated": ("recovery_codes.make", _("There are new recovery codes.")),
}


class Door(DefaultAccountAdapter):
    error_messages = {**DefaultAccountAdapter.error_messages, **WORDS}

    def is_open_for_signup(self, request):
        return False

    def is_ajax(self, request):
        return False

    def is_safe_url(self, url):
        here = self.request
        return url_has_allowed_host_and_scheme(url, {here.get_host()}, require_https=here.is_secure())

    def get_client_ip(self, request):
        """The server has looked behind the proxies that it trusts; no header says anything to us."""
        return clean_client_ip(request.META.get("REMOTE_ADDR", "")) or NOWHERE

    def validation_error(self, code, *args):
        if code in THROTTLED:
            raise too_many()
        return super().validation_error(code, *args)

    def _get_login_attempts_cache_key(self, request, **credentials):
        """allauth counts for each Host header anew."""
        return User.objects.normalize_email(credentials.get("email"))

    def authenticate(self, request, **credentials):
        user = super().authenticate(request, **credentials)
        return None if user and user.is_service else user

    def set_password(self, user, password):
        user.set_password(password)
        user.save(update_fields=["password"])
        ratelimit.clear(self.request, action="login_failed", key=user.email)

    def get_password_change_redirect_url(self, request):
        return reverse("mfa_index")

    def get_reset_password_from_key_url(self, key):
        """On SITE_URL: the Host header is the client's to choose."""
        uid, _dash, secret = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": secret})
        return settings.SITE_URL.rstrip("/") + path

    def send_password_reset_mail(self, user, email, context):
        write(user, "password_reset", link=context["password_reset_url"])

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """What touches the safety of an account goes on the audit trail, to its owner, and on the next page."""
        action, told = EVENTS[template_prefix]
        record(user, action, user)
        place = self.get_client_ip(self.request)
        write(user, "notice", told=told, at=timezone.now(), place=place, site=settings.SITE_URL)
        messages.success(self.request, told)

    def add_message(
        self, request, level, message_template=None, message_context=None, extra_tags="", message=None
    ):
        """allauth's own remarks stay unsaid, but for its complaints."""
        if message:
            messages.add_message(request, level, message, extra_tags=extra_tags)


class SecondFactor(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("The code is wrong, or has been used."),
        "cannot_delete_authenticator": _("Staff need a second factor here."),
    }

    def get_totp_issuer(self):
        return "CourseTune"

    def encrypt(self, text):
        return box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        return box(tuple(settings.FIELD_KEYS)).decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator):
        return not (settings.SECOND_FACTOR_FOR_STAFF and authenticator.user.is_staff)


def door() -> Door:
    return Door(context.request)
