"""Small words of the pages: states, tokens, money, times, JSON-free numbers."""

from datetime import timedelta

from django import template
from django.template.defaultfilters import date as format_date
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def state(row):
    """The same word and colour for a state on every page."""
    return format_html('<span class="state {}">{}</span>', row.state, row.get_state_display())


@register.filter
def ago(moment):
    if not moment:
        return "—"
    exact = format_date(timezone.localtime(moment), "Y-m-d H:i:s")
    young = timezone.now() - moment < timedelta(minutes=1)
    told = _("just now") if young else _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(), exact, told,
    )  # fmt: skip


@register.filter
def thousands(number):
    return "—" if number is None else formats.number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def money(amount):
    if amount is None:
        return "—"
    if 0 < amount * 10_000 < 1:
        return "< $0.0001"
    return _("free") if not amount else f"${amount:,.4f}".rstrip("0").rstrip(".")


@register.filter
def decimals(number, places=3):
    return (
        "—" if number is None else formats.number_format(round(number, int(places)), decimal_pos=int(places))
    )


@register.filter
def percent(share):
    return "—" if share is None else f"{formats.number_format(round(share * 100, 1), decimal_pos=1)} %"


@register.filter
def item(mapping, key):
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def here(context, word):
    """aria-current for the step of the course that this page belongs to."""
    return mark_safe(' aria-current="page"') if context.get("step") == word else ""


@register.simple_tag(takes_context=True)
def on_tab(context, word):
    """The same for the tabs within a step."""
    return mark_safe(' aria-current="page"') if context.get("tab") == word else ""


@register.filter
def split_name(split):
    names = {"train": _("training"), "validation": _("validation"), "test": _("test")}
    return names.get(split, split)


@register.filter
def hyperparameter(name):
    names = {
        "n_epochs": _("Epochs"),
        "batch_size": _("Batch size"),
        "learning_rate_multiplier": _("Learning rate ×"),
        "learning_rate": _("Learning rate"),
        "lora_r": _("LoRA rank"),
        "lora_alpha": _("LoRA alpha"),
        "lora_dropout": _("LoRA dropout"),
        "beta": _("Beta"),
        "early_stopping_patience": _("Early stopping, epochs"),
    }
    return names.get(name, name)


@register.filter
def metric(name):
    names = {
        "train_loss": _("training loss"),
        "valid_loss": _("validation loss"),
        "full_valid_loss": _("full validation loss"),
        "train_mean_token_accuracy": _("training accuracy"),
        "valid_mean_token_accuracy": _("validation accuracy"),
        "full_valid_mean_token_accuracy": _("full validation accuracy"),
    }
    return names.get(name, name)
