from django import template

from accounts.access import rights

register = template.Library()
LONGEST = 80


@register.simple_tag(takes_context=True)
def rights_on(context, course):
    """The actions open to the reader of this page: {% rights_on course as may %}{% if "edit" in may %}."""
    return rights(context["request"].user, course)


@register.filter
def change(entry):
    """What an entry of the audit trail says has changed, in one line: “role: editor → student”."""
    before, after = (
        value if isinstance(value, dict) else {"": value} for value in (entry.before, entry.after)
    )
    if entry.before is None and entry.after is None:
        return ", ".join(f"{name}: {_short(value)}" for name, value in entry.details.items())
    told = []
    for name in dict.fromkeys([*before, *after]):
        lead = f"{name}: " if name else ""
        told.append(f"{lead}{_short(before.get(name))} → {_short(after.get(name))}")
    return ", ".join(told)


def _short(value):
    text = "—" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
