from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role
from common.forms import MultipleFileField
from courses.models import Course


class CourseForm(forms.ModelForm):
    class Meta:
        model = Course
        fields = ["title", "description", "language"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class UploadForm(forms.Form):
    files = MultipleFileField(
        label=_("Texts"), help_text=_("One or more .md or .txt files."), allow_empty_file=True
    )
    files.widget.attrs["accept"] = ".md,.markdown,.txt"


class MemberForm(forms.Form):
    email = forms.EmailField(label=_("Email"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.STUDENT)

    def clean_email(self):
        email = User.objects.normalize_email(self.cleaned_data["email"])
        self.user = User.objects.filter(email=email, is_active=True).first()
        if self.user is None:
            raise forms.ValidationError(_("Nobody here signs in with this email. Ask staff to add them."))
        return email
