from django import forms
from django.utils.translation import gettext_lazy as _

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
