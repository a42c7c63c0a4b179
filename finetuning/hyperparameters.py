"""Hyperparameters: which a provider takes for a method, within which limits, and where they stand in the request."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from datasets.states import Split
from finetuning.states import Method

LIMITS = {
    "n_epochs": (int, 1, 50),
    "batch_size": (int, 1, 256),
    "learning_rate_multiplier": (float, 0.001, 100),
    "learning_rate": (float, 1e-7, 0.1),
    "lora_r": (int, 1, 512),
    "lora_alpha": (int, 1, 1024),
    "lora_dropout": (float, 0, 0.9),
    "beta": (float, 0.001, 2),
    "early_stopping_patience": (int, 1, 50),
}
LORA = ("lora_r", "lora_alpha", "lora_dropout")
PATIENCE = "early_stopping_patience"
AUTO = "auto"


def taken_by(provider, method=Method.SUPERVISED) -> list[str]:
    """Names of the hyperparameters that this provider takes for this method."""
    absolute = provider.can("learning_rate") == "absolute"
    names = ["n_epochs", "batch_size", "learning_rate" if absolute else "learning_rate_multiplier"]
    names += LORA if provider.can("lora") else ()
    names += [PATIENCE] if provider.can("early_stopping") else []
    return [*names, "beta"] if method == Method.DPO else names


def check(values: dict, provider, method=Method.SUPERVISED) -> dict:
    """{name: number or "auto"} for all that the provider takes, or ValidationError by name.

    Nothing, "" and "auto" leave a value to the provider, also of a name that it does not take; early stopping is
    off then, and stands in no request.
    """
    names, clean, wrong = taken_by(provider, method), {}, {}
    if unknown := [name for name in values if name not in LIMITS]:
        raise ValidationError(_("There is no hyperparameter “%s”.") % unknown[0][:50])
    for name in LIMITS:
        value = values.get(name)
        value = AUTO if value in ("", None) else value
        if name not in names:
            if value != AUTO:
                wrong[name] = _("%(provider)s does not take this setting.") % {"provider": provider}
            continue
        try:
            clean[name] = value if value == AUTO else _number(name, value, provider)
        except ValidationError as error:
            wrong[name] = error
    if wrong:
        raise ValidationError(wrong)
    if clean.get(PATIENCE) == AUTO:
        del clean[PATIENCE]
    return clean


def check_against(version, values: dict):
    """ValidationError where the version lacks what a setting needs."""
    if PATIENCE in values and not version.statistics[Split.VALIDATION]["examples"]:
        raise ValidationError({PATIENCE: _("This version has no validation examples to watch.")})


def _number(name, value, provider):
    kind, low, high = LIMITS[name]
    if name == "batch_size":
        high = min(high, provider.can("batch_most"))
    try:
        number = kind(value)
        if isinstance(value, bool) or (isinstance(value, float) and number != value):
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise ValidationError(_("a number or “auto”")) from error
    if not low <= number <= high:
        raise ValidationError(_("between %(low)s and %(high)s") % {"low": f"{low:g}", "high": f"{high:g}"})
    return number


def kept_for(values: dict, provider, method=Method.SUPERVISED) -> dict:
    """Those of the values that make sense at another provider."""
    return {name: value for name, value in values.items() if name in taken_by(provider, method)}


def request_fields(job, epochs: int) -> dict:
    """Where the provider reads them: in `method`, or at the top as numbers, as it knows no "auto" there."""
    names = [
        name for name in taken_by(job.provider, job.method) if name != PATIENCE or name in job.hyperparameters
    ]
    values = {name: job.hyperparameters.get(name, AUTO) for name in names}
    if job.provider.can("hyperparameters") == "method":
        return {"method": {"type": job.method, job.method: {"hyperparameters": values}}}
    told = {name: value for name, value in values.items() if value != AUTO}
    told |= {"n_epochs": epochs} | ({"lora": True} if job.provider.can("lora") else {})
    return {"hyperparameters": told}
