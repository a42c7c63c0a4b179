from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class SignInForm(AuthenticationForm):
    username = forms.EmailField(
        label=_("Email"), widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )

    def clean_username(self):
        return User.objects.normalize_email(self.cleaned_data["username"])


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name", "language"]


class TokenForm(forms.Form):
    days = forms.IntegerField(label=_("Valid for, days"), min_value=1, max_value=3650, initial=90)
