from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.templatetags.ui import hyperparameter
from datasets.states import Split
from finetuning import hyperparameters as hyper
from finetuning.states import Method
from providers.models import Model
from providers.pricing import auto_epochs

AUTO = hyper.AUTO
HELP = {
    hyper.PATIENCE: gettext_lazy(
        "Stop after so many epochs without a lower validation loss, and keep the best; auto: never."
    )
}


class SimpleForm(forms.Form):
    """A base model and how long to train; everything else is left to the provider."""

    model = forms.ModelChoiceField(Model.objects.none(), label=gettext_lazy("Base model"), empty_label=None)
    effort = forms.ChoiceField(
        label=gettext_lazy("How thoroughly"), widget=forms.RadioSelect, initial="balanced"
    )

    def __init__(self, version, data=None, initial=None):
        super().__init__(data, initial=initial)
        self.fields["model"].queryset = Model.objects.trainable()
        self.version = version
        self.build()

    def build(self):
        self.epochs = efforts(self.version)
        self.fields["effort"].choices = explained(self.epochs, self.version)

    def previewed(self):
        """Itself, or before anything was sent, the same form filled in as it is shown."""
        if self.is_bound:
            return self
        first = self.fields["model"].queryset.first()
        shown = {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
        return type(self)(self.version, {**shown, "model": shown["model"] or (first and first.pk)})

    @property
    def settings(self) -> dict:
        """What a job is started with."""
        values = self.cleaned_data
        return {"model": values["model"], "hyperparameters": {"n_epochs": self.epochs[values["effort"]]}}


def efforts(version) -> dict:
    """{effort: epochs}: `auto` stands between once and twice as long."""
    usual = auto_epochs(version.statistics[Split.TRAIN]["examples"])
    return {"quick": 1, "balanced": AUTO, "thorough": min(2 * usual, hyper.LIMITS["n_epochs"][2])}


def explained(epochs, version):
    usual = auto_epochs(version.statistics[Split.TRAIN]["examples"])
    counts = {name: count_of(usual if each == AUTO else each) for name, each in epochs.items()}
    return [
        ("quick", _("Quick: %s, every example is seen once. Shows that all works.") % counts["quick"]),
        ("balanced", _("Balanced: auto, the provider chooses; %s are usual.") % counts["balanced"]),
        (
            "thorough",
            _("Thorough: %s. Learns more firmly, and by heart if the validation loss rises.")
            % counts["thorough"],
        ),
    ]


def count_of(epochs):
    return ngettext("%d epoch", "%d epochs", epochs) % epochs


class AdvancedForm(SimpleForm):
    """Every setting that the provider of the chosen model takes."""

    effort = None
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), choices=Method.choices, initial=Method.SUPERVISED, required=False
    )

    def build(self):
        provider = self.chosen and self.chosen.provider
        methods = provider.can("methods") if provider else [Method.SUPERVISED]
        self.taken = [name for name in hyper.LIMITS if any(name in taken(provider, each) for each in methods)]
        if len(methods) < 2:
            self.fields["method"].widget = forms.HiddenInput()
        for name in self.taken:
            self.fields[name] = setting(name, provider)
        self.fields["seed"] = forms.IntegerField(
            label=_("Seed"), initial=42, min_value=0, max_value=2**31 - 1
        )
        self.fields["suffix"] = suffix(min(40, provider.can("suffix_length")) if provider else 40)

    @property
    def chosen(self):
        """The base model that the form stands at."""
        field = self.fields["model"]
        try:
            return field.clean(self.data.get("model") or self.initial.get("model"))
        except ValidationError:
            return field.queryset.first()

    def clean(self):
        values = super().clean()
        if "model" not in values:
            return values
        values["method"] = values.get("method") or Method.SUPERVISED
        try:
            values["hyperparameters"] = hyper.check(self.asked(), values["model"].provider, values["method"])
            hyper.check_against(self.version, values["hyperparameters"])
        except ValidationError as error:
            for name, problems in error.message_dict.items():
                at = name if name in self.fields else None
                self.add_error(
                    at, problems if at else [f"{hyperparameter(name)}: {each}" for each in problems]
                )
        return values

    def asked(self):
        """Also what was set for another provider and has no field here: it is refused, not forgotten."""
        return {name: self.data[name].strip() for name in hyper.LIMITS if name in self.data}

    @property
    def settings(self):
        return {
            name: self.cleaned_data[name] for name in ("model", "hyperparameters", "seed", "suffix", "method")
        }

    def shown(self):
        """The fields below that of the model."""
        return [self[name] for name in self.fields if name != "model" and not self[name].is_hidden]


def taken(provider, method):
    return hyper.taken_by(provider, method) if provider else ["n_epochs"]


def setting(name, provider):
    _kind, low, high = hyper.LIMITS[name]
    if name == "batch_size" and provider:
        high = min(high, provider.can("batch_most"))
    words = {"low": decimal(low), "high": decimal(high)}
    return forms.CharField(
        label=hyperparameter(name), initial=AUTO, required=False, max_length=20,
        help_text=HELP.get(name) or _("%(low)s to %(high)s, or auto") % words,
        widget=forms.TextInput(attrs={"placeholder": AUTO}),
    )  # fmt: skip


def decimal(number):
    """Without an exponent: 0.0000001."""
    return f"{number:.7f}".rstrip("0").rstrip(".")


def suffix(longest):
    letters = RegexValidator(r"\A[A-Za-z0-9-]*\Z", _("Latin letters, digits and hyphens only."))
    return forms.CharField(label=_("Name suffix"), required=False, max_length=longest, validators=[letters])
