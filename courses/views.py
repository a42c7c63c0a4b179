from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find, rights
from courses.forms import CourseForm, UploadForm
from courses.models import Course, Text
from courses.notices import find_notice
from courses.uploading import add_texts

PAGE = 50


@require_safe
@login_required
def courses(request):
    rows = Course.objects.visible_to(request.user).with_progress()
    return render(request, "courses/courses.html", {"courses": rows})


@login_required
def course_new(request):
    if not request.user.may_create_courses:
        raise PermissionDenied
    form = CourseForm(request.POST or None)
    if form.is_valid():
        course = Course.objects.start(by=request.user, **form.cleaned_data)
        return redirect("texts", course.pk)
    return render(request, "courses/course_new.html", {"form": form})


@require_safe
@login_required
def course(request, pk):
    course = find(Course, pk, request.user)
    if "read" not in rights(request.user, course):
        return redirect("assistants", course.pk)
    return redirect("texts", course.pk)


@require_safe
@login_required
def texts(request, pk):
    course = find(Course, pk, request.user)
    rows = Text.objects.current().of(course).with_passages()
    context = {"course": course, "step": "texts", "texts": rows, "form": UploadForm()}
    return render(request, "courses/texts.html", context)


@require_POST
@login_required
def texts_upload(request, pk):
    course = find(Course, pk, request.user, to="edit")
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose one or more .md or .txt files."))
        return redirect("texts", course.pk)
    done = add_texts(course, form.cleaned_data["files"], by=request.user)
    for problem in done.problems:
        messages.error(request, problem)
    if done.texts:
        messages.success(
            request, ngettext("%d text is read.", "%d texts are read.", len(done.texts)) % len(done.texts)
        )
    return redirect("texts", course.pk)


@require_safe
@login_required
def text(request, pk):
    text = find(Text, pk, request.user)
    passages = text.passages.select_related("section")
    context = {"course": text.section.course, "step": "texts", "text": text, "passages": passages}
    return render(request, "courses/text.html", context)


@require_POST
@login_required
def text_remove(request, pk):
    text = find(Text, pk, request.user, to="edit")
    text.remove(by=request.user)
    messages.success(request, _("%s is removed.") % text)
    return redirect("texts", text.section.course_id)


@require_safe
@login_required
def notices(request, pk):
    """What the reader has been told about the course, newest first."""
    course = find(Course, pk, request.user, to="read")
    rows = Paginator(course.notices.to(request.user), PAGE).get_page(request.GET.get("page"))
    return render(request, "courses/notices.html", {"course": course, "notices": rows})


@require_POST
@login_required
def notice_put_away(request, pk):
    notice = find_notice(pk, request.user)
    notice.put_away()
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("notices", notice.course_id)
