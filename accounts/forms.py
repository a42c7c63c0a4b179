from allauth.account import forms as account
from allauth.account.forms import UserTokenForm
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from accounts.adapter import door
from accounts.clock import time_zones
from accounts.models import User
from accounts.roles import SCOPE_LABELS
from accounts.tokens import LONGEST, courses_open_to

LABELS = {
    "login": _("Email"),
    "email": _("Email"),
    "password": _("Password"),
    "oldpassword": _("Present password"),
    "password1": _("New password"),
    "password2": _("New password, once more"),
    "code": _("Code"),
}
ATTRIBUTES = {
    "login": {"autocomplete": "username", "autofocus": True},
    "code": {"inputmode": "numeric", "autofocus": True},
}


class Plain:
    """Our words on allauth's fields, and none inside them."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs |= ATTRIBUTES.get(name, {})
        if "password1" in self.fields:
            self.fields["password1"].help_text = " ".join(password_validators_help_texts())


class SignInForm(Plain, account.LoginForm):
    pass


class ReauthenticateForm(Plain, account.ReauthenticateForm):
    pass


class ChangePasswordForm(Plain, account.ChangePasswordForm):
    pass


class ResetPasswordForm(Plain, account.ResetPasswordForm):
    def clean_email(self):
        email = User.objects.normalize_email(self.cleaned_data["email"])
        self.users = list(User.objects.filter(email=email, is_active=True, is_service=False))
        return email


class ResetPasswordKeyForm(Plain, account.ResetPasswordKeyForm):
    pass


class ResetLinkForm(UserTokenForm):
    def _get_user(self, uidb36):
        user = super()._get_user(uidb36)
        return user if user and user.is_active and not user.is_service else None


class CodeForm(Plain, mfa.AuthenticateForm):
    pass


class ReauthenticateByCodeForm(Plain, mfa.ReauthenticateForm):
    pass


class ActivateForm(Plain, ActivateTOTPForm):
    pass


class ProfileForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones, required=False)

    class Meta:
        model = User
        fields = ["name", "language", "time_zone"]


class DeleteForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user, *args, **more):
        super().__init__(*args, **more)
        self.user = user

    def clean_password(self):
        if not door().reauthenticate(self.user, self.cleaned_data["password"]):
            raise door().validation_error("incorrect_password")
        return self.cleaned_data["password"]


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("what it is for"))
    days = forms.IntegerField(label=_("Valid for, days"), min_value=1, max_value=LONGEST, initial=90)
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=SCOPE_LABELS.items, initial=["read"], widget=forms.CheckboxSelectMultiple
    )
    courses = forms.ModelMultipleChoiceField(
        label=_("On these courses"), queryset=User.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=_("none chosen: on every course that is open to you"),
    )  # fmt: skip

    def __init__(self, user, *args, **more):
        super().__init__(*args, **more)
        self.fields["courses"].queryset = courses_open_to(user)

    def clean_courses(self):
        return list(self.cleaned_data["courses"]) or None
