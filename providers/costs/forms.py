from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from providers.ledger import LedgerEntry, this_month

PEOPLE_MOST = 500
GROUPS = [("month", _("month")), ("person", _("person")), ("purpose", _("purpose")), ("model", _("model"))]


class MonthField(forms.DateField):
    """A month such as 2026-11, as its first day."""

    def __init__(self, **more):
        widget = forms.DateInput(format="%Y-%m", attrs={"type": "month", "placeholder": "2026-11"})
        messages = {"invalid": _("A month such as 2026-11.")}
        super().__init__(input_formats=["%Y-%m"], widget=widget, error_messages=messages, **more)


class CostFilter(forms.Form):
    since = MonthField(label=_("From month"), required=False)
    until = MonthField(label=_("Until month"), required=False)
    person = forms.ChoiceField(label=_("Person"), required=False)
    purpose = forms.ChoiceField(
        label=_("Purpose"), required=False, choices=[("", _("all")), *LedgerEntry.Purpose.choices]
    )
    by = forms.ChoiceField(label=_("Sums by"), required=False, choices=GROUPS)

    def __init__(self, course, *args, **kwargs):
        super().__init__(*args, **kwargs)
        spenders = User.objects.filter(pk__in=course.ledger.order_by().values("by"))
        people = [(each.pk, each.called) for each in spenders.order_by("name", "pk")[:PEOPLE_MOST]]
        self.fields["person"].choices = [("", _("all")), *people]


class LimitForm(forms.Form):
    month = MonthField(label=_("Month"), initial=this_month)
    limit = forms.DecimalField(
        label=_("Limit, US dollars"), min_value=0, max_digits=12, decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": _("A number of US dollars with a point, such as 12.50.")},
    )  # fmt: skip
