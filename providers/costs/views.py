"""What a course spends: the page, its file, and the limit of a month."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find
from common.csv_file import csv_file
from courses.models import Course
from providers.costs.forms import CostFilter, LimitForm
from providers.costs.report import HEAD, Drawn, Month, chosen, lines, summed, table, total
from providers.ledger import Budget

PAGE = 50
MOST_SUMS = 100


@require_safe
@login_required
def costs(request, pk):
    return costs_page(request, find(Course, pk, request.user, to="read"))


@require_safe
@login_required
def costs_csv(request, pk):
    course = find(Course, pk, request.user, to="read")
    return csv_file(f"costs-course-{course.pk}.csv", HEAD, table(filtered(request, course)[1]))


@require_POST
@login_required
def budget(request, pk):
    course = find(Course, pk, request.user, to="manage")
    form = LimitForm(request.POST)
    if not form.is_valid():
        return costs_page(request, course, form, status=400)
    budget = Budget.objects.set_limit(course, **form.cleaned_data, by=request.user)
    if budget.over:
        messages.warning(request, _("This is below what is held already: nothing more may be spent in it."))
    else:
        messages.success(request, _("The limit of the month is set."))
    return redirect("costs", course.pk)


def costs_page(request, course, limit_form=None, status=200):
    form, rows = filtered(request, course)
    by = (form.is_valid() and form.cleaned_data["by"]) or "month"
    month, sums = Month(course), summed(rows, by)
    entries = rows.select_related("model__provider", "by")
    context = {
        "course": course, "step": "members", "tab": "costs", "form": form, "month": month, "by": by,
        "limit_form": limit_form or LimitForm(initial={"limit": month.limit}), "lines": lines(sums[:MOST_SUMS]),
        "total": total(rows), "drawn": Drawn(rows),
        "entries": Paginator(entries, PAGE).get_page(request.GET.get("page")), "query": without_page(request),
    }  # fmt: skip
    return render(request, "providers/costs.html", context, status=status)


def filtered(request, course):
    """(form, entries); a filter that is wrong is told in its form and leaves everything in."""
    form = CostFilter(course, request.GET or None)
    rows = course.ledger.all()
    return form, chosen(rows, **form.cleaned_data) if form.is_valid() else rows


def without_page(request):
    wanted = request.GET.copy()
    wanted.pop("page", None)
    return wanted.urlencode()
