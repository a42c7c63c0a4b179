from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from finetuning import hyperparameters
from providers.models import Model


class TrainForm(forms.Form):
    model = forms.ModelChoiceField(Model.objects.none(), label=_("Base model"), empty_label=None)
    n_epochs = forms.CharField(label=_("Epochs"), initial="auto", help_text=_("1 to 50, or auto"))
    batch_size = forms.CharField(label=_("Batch size"), initial="auto", help_text=_("1 to 256, or auto"))
    learning_rate_multiplier = forms.CharField(
        label=_("Learning rate multiplier"), initial="auto", help_text=_("a number over 0, or auto")
    )
    seed = forms.IntegerField(label=_("Seed"), initial=42, min_value=0, max_value=2**31 - 1)
    suffix = forms.CharField(
        label=_("Name suffix"),
        required=False,
        max_length=18,
        validators=[RegexValidator(r"\A[A-Za-z0-9-]*\Z", _("Latin letters, digits and hyphens only."))],
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = Model.objects.trainable()

    def clean(self):
        values = super().clean()
        named = ("n_epochs", "batch_size", "learning_rate_multiplier")
        if "model" not in values:
            return values
        try:
            values["hyperparameters"] = hyperparameters.check(
                {name: values.get(name) for name in named}, values["model"].provider
            )
        except ValidationError as error:
            self.add_error(None, error)
        return values
