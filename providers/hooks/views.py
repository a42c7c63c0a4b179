"""The page of a course's webhook."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.access import find
from common.doorbell import ring
from courses.models import Course
from providers.hooks.models import Hook, check_public
from providers.tasks import call_hooks

SHOWN = 20


class HookForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        validators=[check_public],
        help_text=gettext_lazy("https, and on the public internet"),
    )


@login_required
def hook(request, pk):
    course = find(Course, pk, request.user, to="manage")
    here = Hook.objects.filter(course=course).first()
    form = HookForm(request.POST or None, initial={"url": here.url if here else ""})
    if form.is_valid():
        _hook, secret = Hook.objects.point(course, form.cleaned_data["url"], by=request.user)
        if secret:
            return hook_page(request, course, secret=secret)
        messages.success(request, _("Saved."))
        return redirect("hook", course.pk)
    return hook_page(request, course, form)


def hook_page(request, course, form=None, secret=""):
    """`secret` was made just now and is shown this once."""
    here = Hook.objects.filter(course=course).first()
    context = {
        "course": course, "step": "members", "tab": "hook", "hook": here, "secret": secret,
        "form": form or HookForm(initial={"url": here.url}), "calls": here.calls.all()[:SHOWN] if here else (),
    }  # fmt: skip
    return render(request, "providers/hook.html", context)


def _found(request, pk):
    course = find(Course, pk, request.user, to="manage")
    return get_object_or_404(Hook, course=course)


@require_POST
@login_required
def hook_secret(request, pk):
    here = _found(request, pk)
    return hook_page(request, here.course, secret=here.renew_secret(by=request.user))


@require_POST
@login_required
def hook_test(request, pk):
    _found(request, pk).test(by=request.user)
    ring(call_hooks)
    messages.success(request, _("A test is on its way. Load the page again to see what came of it."))
    return redirect("hook", pk)


@require_POST
@login_required
def hook_remove(request, pk):
    _found(request, pk).remove(by=request.user)
    messages.success(request, _("The webhook is removed."))
    return redirect("hook", pk)
