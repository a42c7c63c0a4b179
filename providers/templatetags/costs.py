"""Sums of money, and the word of warning on the pages where it is spent."""

from django import template

from accounts.access import rights
from common.templatetags.ui import money
from providers.ledger import Budget

register = template.Library()


@register.filter
def usd(amount):
    """As money, with nothing as $0: what is not spent yet is not for free."""
    return money(amount) if amount or amount is None else "$0"


@register.inclusion_tag("providers/_budget_banner.html", takes_context=True)
def budget_banner(context, course):
    """Nothing below 80 %; who may not see the costs is told of the limit only, and no sums."""
    sees = "read" in rights(context["request"].user, course)
    budget = Budget.objects.now(course)
    level = budget.level if budget else ""
    return {
        "course": course,
        "budget": budget,
        "sees": sees,
        "level": level if sees or level == "reached" else "",
    }
