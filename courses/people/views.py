"""Who is on a course and what they have done there."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find, rights
from accounts.models import User
from accounts.roles import LABELS, MAY, Role
from common.csv_file import csv_file
from courses.models import Course, Invitation, Membership
from courses.people import mailing
from courses.people.forms import AuditFilter, HandOverForm, InviteForm, JoinForm, RoleForm
from courses.people.trail import HEAD, lines, trail

PAGE = 50


@login_required
def members(request, pk):
    """The members; for who may manage them, with a form that gives a role or invites."""
    course = find(Course, pk, request.user)
    form = InviteForm(request.POST or None)
    if request.method == "POST":
        find(Course, pk, request.user, to="manage")
        if form.is_valid():
            return welcome(request, course, **form.cleaned_data)
    context = {
        "course": course, "step": "members", "tab": "members", "form": form, "roles": Role.choices,
        "members": course.memberships.shown_to(rights(request.user, course)),
        "others": HandOverForm(course.memberships.others(request.user)),
    }  # fmt: skip
    return render(request, "courses/members.html", context)


def welcome(request, course, email, role):
    """A role at once for who is known here, a link for who is not."""
    person = User.objects.known(email)
    if person:
        course.set_role(person, role, by=request.user)
        messages.success(
            request, _("%(person)s is %(role)s now.") % {"person": person, "role": Role(role).label}
        )
        return redirect("members", course.pk)
    invitation, secret = course.invite(email, role, by=request.user)
    if mailing.send(invitation, secret):
        messages.success(request, _("An invitation is on its way to %s.") % invitation.email)
    else:
        messages.warning(request, _("The mail could not be sent. Pass the link on yourself."))
    return invitations_page(request, course, link=mailing.link(secret))


@require_POST
@login_required
def member_change(request, pk):
    member = find(Membership, pk, request.user, to="manage")
    form = RoleForm(request.POST)
    if form.is_valid():
        member.course.set_role(member.user, form.cleaned_data["role"], by=request.user)
    return redirect("members", member.course_id)


@require_POST
@login_required
def member_remove(request, pk):
    member = find(Membership, pk, request.user, to="manage")
    member.course.remove_member(member.user, by=request.user)
    return redirect("members", member.course_id)


@require_POST
@login_required
def course_leave(request, pk):
    course = find(Course, pk, request.user)
    course.remove_member(request.user, by=request.user)
    messages.success(request, _("You have left “%s”.") % course)
    return redirect("courses")


@require_POST
@login_required
def course_hand_over(request, pk):
    course = find(Course, pk, request.user, to="manage")
    form = HandOverForm(course.memberships.others(request.user), request.POST)
    if form.is_valid():
        course.hand_over(form.cleaned_data["member"].user, by=request.user)
        messages.success(request, _("The course has a new owner. You are an editor now."))
    else:
        messages.error(request, _("Choose another member of the course as its owner."))
    return redirect("members", course.pk)


@require_safe
@login_required
def roles(request, pk):
    course = find(Course, pk, request.user)
    table = [(LABELS[action], [role in who for role in Role]) for action, who in MAY.items()]
    context = {"course": course, "step": "members", "tab": "roles", "roles": Role.choices, "table": table}
    return render(request, "courses/roles.html", context)


@require_safe
@login_required
def invitations(request, pk):
    return invitations_page(request, find(Course, pk, request.user, to="manage"))


def invitations_page(request, course, link=""):
    """All invitations; `link` is that of one made just now and is shown this once."""
    rows = course.invitations.select_related("by")[:200]
    context = {"course": course, "step": "members", "tab": "invitations", "link": link, "invitations": rows}
    return render(request, "courses/invitations.html", context)


@require_POST
@login_required
def invitation_revoke(request, pk):
    invitation = find(Invitation, pk, request.user, to="manage")
    invitation.revoke(by=request.user)
    messages.success(request, _("The link opens nothing any more."))
    return redirect("invitations", invitation.course_id)


def join(request, secret):
    """What an invitation's link opens: a way in for who has none, a button for who has."""
    invitation = Invitation.objects.named(secret)
    if invitation is None:
        return render(request, "courses/join_closed.html", status=404)
    known = request.user if request.user.is_authenticated else None
    form = JoinForm(invitation.email, request.POST or None) if not known else None
    if request.method == "POST" and (known or form.is_valid()):
        person = known or invitation.enrol(**form.cleaned_data)
        if known:
            invitation.accept(known)
        else:
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("course", invitation.course_id)
    has_account = User.objects.known(invitation.email) is not None
    context = {"invitation": invitation, "form": form, "has_account": has_account}
    return render(request, "courses/join.html", context)


@require_safe
@login_required
def audit(request, pk):
    course = find(Course, pk, request.user, to="manage")
    form = AuditFilter(course, request.GET or None)
    rows = trail(course, **form.cleaned_data) if form.is_valid() else trail(course)
    context = {
        "course": course, "step": "members", "tab": "audit", "form": form,
        "entries": Paginator(rows, PAGE).get_page(request.GET.get("page")), "query": without_page(request),
    }  # fmt: skip
    return render(request, "courses/audit.html", context)


@require_safe
@login_required
def audit_csv(request, pk):
    course = find(Course, pk, request.user, to="manage")
    form = AuditFilter(course, request.GET or None)
    rows = trail(course, **form.cleaned_data) if form.is_valid() else trail(course)
    return csv_file(f"audit-course-{course.pk}.csv", HEAD, lines(rows))


def without_page(request):
    wanted = request.GET.copy()
    wanted.pop("page", None)
    return wanted.urlencode()
