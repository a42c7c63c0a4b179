import re

from django import template

from accounts.access import rights

register = template.Library()
LONGEST = 80
HASH = re.compile(r"[0-9a-f]{40,}")


@register.simple_tag(takes_context=True)
def rights_on(context, course):
    """The actions open to the reader of this page: {% rights_on course as may %}{% if "edit" in may %}."""
    return rights(context["request"].user, course)


@register.filter
def change(entry):
    """What an entry of the audit trail says has changed, in one line: “role: editor → student”."""
    if entry.before is None and entry.after is None:
        return ", ".join(f"{name}: {_short(value)}" for name, value in entry.details.items())
    before, after = _named(entry.before), _named(entry.after)
    return ", ".join(
        f"{name}: {_short(before.get(name))} → {_short(after.get(name))}".removeprefix(": ")
        for name in dict.fromkeys([*before, *after])
    )


def _named(value):
    return {} if value is None else value if isinstance(value, dict) else {"": value}


def _short(value):
    text = "—" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    most = 12 if HASH.fullmatch(text) else LONGEST
    return text if len(text) <= most else f"{text[:most]}…"
