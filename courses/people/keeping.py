"""The pages on which owners keep a course in order: its settings, the programs that serve it, its end."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import find
from accounts.tokens import make_token, revoke_token
from courses.models import Course, Service
from courses.people.forms import CourseSettingsForm, RemoveForm, ServiceForm, ServiceTokenForm


@login_required
def course_settings(request, pk):
    course = find(Course, pk, request.user, to="edit")
    form = CourseSettingsForm(request.POST or None, instance=course)
    if form.is_valid():
        course.change(by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("course_settings", course.pk)
    context = {"course": course, "step": "members", "tab": "settings", "form": form}
    return render(request, "courses/settings.html", context | {"remove_form": RemoveForm(course)})


@require_POST
@login_required
def course_two_person(request, pk):
    course = find(Course, pk, request.user, to="manage")
    course.set_two_person(request.POST.get("wanted") == "on", by=request.user)
    return redirect("course_settings", course.pk)


@require_POST
@login_required
def course_remove(request, pk):
    course = find(Course, pk, request.user, to="manage")
    form = RemoveForm(course, request.POST)
    if not form.is_valid():
        messages.error(request, _("The title is not the same: nothing was deleted."))
        return redirect("course_settings", course.pk)
    course.remove(by=request.user)
    messages.success(request, _("“%s” and all that was in it is deleted.") % form.cleaned_data["title"])
    return redirect("courses")


@login_required
def services(request, pk):
    """The programs of a course, and a form for a new one."""
    course = find(Course, pk, request.user, to="publish")
    form = ServiceForm(request.POST or None)
    if form.is_valid():
        course.add_service(**form.cleaned_data, by=request.user)
        return redirect("services", course.pk)
    return services_page(request, course, form=form)


def services_page(request, course, form=None, secret=""):
    """`secret` is a token made just now and is shown this once."""
    context = {
        "course": course, "step": "members", "tab": "services", "form": form or ServiceForm(),
        "token_form": ServiceTokenForm(), "secret": secret, "services": Service.objects.of(course).with_tokens(),
    }  # fmt: skip
    return render(request, "courses/services.html", context)


@require_POST
@login_required
def service_token(request, pk):
    """A token for a program, limited to its course; shown once on the page that follows."""
    service = find(Service, pk, request.user, to="publish")
    form = ServiceTokenForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors.as_text())
        return redirect("services", service.serves_id)
    _row, secret = make_token(service, **form.cleaned_data, courses=[service.serves], by=request.user)
    return services_page(request, service.serves, secret=secret)


@require_POST
@login_required
def service_token_revoke(request, pk, token):
    service = find(Service, pk, request.user, to="publish")
    revoke_token(service, token, by=request.user)
    return redirect("services", service.serves_id)


@require_POST
@login_required
def service_remove(request, pk):
    service = find(Service, pk, request.user, to="publish")
    service.retire(by=request.user)
    return redirect("services", service.serves_id)
