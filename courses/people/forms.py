from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, User
from accounts.roles import SCOPE_LABELS, Role
from courses.models import Course

ACTIONS_MOST = 200


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.STUDENT)


class InviteForm(RoleForm):
    email = forms.EmailField(
        label=_("Email"),
        help_text=_("Who signs in here already gets the role at once; anybody else gets a link by mail."),
    )
    field_order = ["email", "role"]


class ServiceForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("What the program is, such as “Timetable sync”.")
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[each for each in Role.choices if each[0] != Role.OWNER],
        initial=Role.STUDENT,
    )


class ServiceTokenForm(forms.Form):
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=list(SCOPE_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=["chat"],
    )
    days = forms.IntegerField(label=_("Valid for, days"), min_value=1, max_value=365, initial=90)


class CourseSettingsForm(forms.ModelForm):
    class Meta:
        model = Course
        fields = ["title", "description", "language"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class HandOverForm(forms.Form):
    """`members` are those of the course without the one who hands over."""

    member = forms.ModelChoiceField(label=_("New owner"), queryset=None)

    def __init__(self, members, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["member"].queryset = members


class RemoveForm(forms.Form):
    title = forms.CharField(label=_("The course's title, to be sure"), max_length=200)

    def __init__(self, course, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.course = course

    def clean_title(self):
        if self.cleaned_data["title"] != self.course.title:
            raise forms.ValidationError(_("That is not the title of this course."))
        return self.cleaned_data["title"]


class JoinForm(forms.Form):
    """A new person, with the email of the invitation."""

    name = forms.CharField(label=_("Your name"), max_length=150)
    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def __init__(self, email, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self):
        person = User(email=self.email, name=self.cleaned_data.get("name", ""))
        validate_password(self.cleaned_data["password"], person)
        return self.cleaned_data["password"]


class AuditFilter(forms.Form):
    action = forms.ChoiceField(label=_("Action"), required=False)
    person = forms.IntegerField(label=_("Person, number"), required=False, min_value=1, max_value=2**62)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, course, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = AuditEntry.objects.filter(course_id=course.pk).order_by("action")
        names = known.values_list("action", flat=True).distinct()[:ACTIONS_MOST]
        self.fields["action"].choices = [("", _("all")), *((name, name) for name in names)]
