from django import template

register = template.Library()
MOST = 20


@register.inclusion_tag("courses/_notices.html", takes_context=True)
def notices_on(context, course):
    """What the reader of this page has not put away: a line for each warning, one for all the rest."""
    here = context["request"]
    unread = list(course.notices.to(here.user).filter(seen=None)[:MOST])
    newest = {(each.kind, each.about): each for each in reversed(unread) if each.is_warning}
    return {
        "course": course, "may": context.get("may", ()), "warnings": list(newest.values()),
        "others": [each for each in unread if not each.is_warning],
        "back": here.get_full_path() if here.method == "GET" else "",
    }  # fmt: skip
