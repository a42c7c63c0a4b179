from django import template
from django.utils.html import format_html

from common.days import closes, shuts_down, urgency
from finetuning.retiring import end_of

register = template.Library()


@register.simple_tag
def ends(row, today=None):
    """When a base model, a tuned model or a deployment shuts down, in words; nothing where no date is known."""
    return _tag(end_of(row) if row else None, shuts_down, today)


@register.simple_tag
def tuning_closes(model, today=None):
    """The same for the last day on which a base model is tuned."""
    return _tag(model.train_until, closes, today)


def _tag(day, say, today):
    return (
        format_html('<span class="state {}">{}</span>', urgency(day, today), say(day, today)) if day else ""
    )
