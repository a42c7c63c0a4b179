from django import template

from accounts.access import rights

register = template.Library()


@register.simple_tag(takes_context=True)
def rights_on(context, course):
    """The actions open to the reader of this page: {% rights_on course as may %}{% if "edit" in may %}."""
    return rights(context["request"].user, course)
