from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import DeleteForm, ProfileForm, TokenForm
from accounts.sessions import end_other_sessions, end_session, sessions_of
from accounts.tokens import make_token, revoke_token, tokens_of
from common.middleware import way_back


@login_required
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form, "tab": "profile"})


@sensitive_post_parameters("password")
@login_required
def account_delete(request):
    form = DeleteForm(request.user, request.POST or None)
    if form.is_valid():
        request.user.forget(by=request.user)
        logout(request)
        messages.success(request, _("Your account is deleted."))
        return redirect("sign_in")
    return render(request, "accounts/account_delete.html", {"form": form, "tab": "profile"})


@require_safe
@login_required
def sessions(request):
    rows = sessions_of(request.user, request.session.session_key)
    return render(request, "accounts/sessions.html", {"sessions": rows, "tab": "sessions"})


@require_POST
@login_required
def session_end(request, pk):
    end_session(request.user, pk)
    messages.success(request, _("The session is ended."))
    return redirect("sessions")


@require_POST
@login_required
def sessions_end_others(request):
    end_other_sessions(request.user, request.session.session_key)
    messages.success(request, _("Every other session is ended."))
    return redirect("sessions")


@never_cache
@login_required
def tokens(request):
    """Own tokens; a new one is shown once, in the answer that makes it."""
    form, secret = TokenForm(request.user, request.POST or None), None
    if form.is_valid():
        secret = make_token(request.user, **form.cleaned_data)[1]
        form = TokenForm(request.user)
    context = {"form": form, "tokens": tokens_of(request.user), "secret": secret, "tab": "tokens"}
    return render(request, "accounts/tokens.html", context)


@require_POST
@login_required
def token_revoke(request, pk):
    revoke_token(request.user, pk)
    return redirect("tokens")


@require_POST
def language(request):
    """Another language, for the signed-in person for good, for a guest in this browser."""
    wanted = request.POST.get("language", "")
    response = redirect(way_back(request))
    if wanted in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            request.user.language = wanted
            request.user.save(update_fields=["language"])
        response.set_cookie("django_language", wanted, samesite="Lax", secure=request.is_secure())
    return response
