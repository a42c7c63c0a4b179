"""Each page of allauth that we want, at an address of ours; allauth finds them by its own names."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from accounts import views

RESET_LINK = r"^password/reset/(?P<uidb36>[0-9A-Za-z]{1,13})-(?P<key>[-0-9A-Za-z]+)/$"

urlpatterns = [
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/", account.login, name="sign_in"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    # Where allauth leads whoever is signed in without a password of their own.
    path("password/reset/", account.password_reset, name="account_set_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(RESET_LINK, account.password_reset_from_key, name="account_reset_password_from_key"),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("security/", mfa.index, name="mfa_index"),
    path("security/password/", account.password_change, name="account_change_password"),
    path("security/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("security/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("security/second-factor/", totp.activate_totp, name="mfa_activate_totp"),
    path("security/second-factor/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("security/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "security/recovery-codes/new/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path("language/", views.language, name="language"),
    path("profile/", views.profile, name="profile"),
    path("profile/delete/", views.account_delete, name="account_delete"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/<int:pk>/end/", views.session_end, name="session_end"),
    path("sessions/end-others/", views.sessions_end_others, name="sessions_end_others"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.token_revoke, name="token_revoke"),
]
