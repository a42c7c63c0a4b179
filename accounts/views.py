from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.forms import ProfileForm, SignInForm, TokenForm
from accounts.tokens import make_token, revoke_token, tokens_of
from common.middleware import way_back


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@login_required
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})


@login_required
def tokens(request):
    """Own tokens; a new one is shown once, in the answer that makes it."""
    form, secret = TokenForm(request.POST or None), None
    if form.is_valid():
        secret = make_token(request.user, form.cleaned_data["days"])[1]
        form = TokenForm()
    context = {"form": form, "tokens": tokens_of(request.user), "secret": secret}
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
