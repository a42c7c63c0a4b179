"""What an address that is not there, or a fault of ours, answers: JSON to programs, a page to people."""

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults

API, OPENAI = "/api/", "/api/v1/"


def not_found(request, exception):
    if request.path.startswith(API):
        return _told(request, 404, _("There is nothing at this address, or it is not open to you."))
    return defaults.page_not_found(request, exception)


def broken(request):
    if request.path.startswith(API):
        return _told(request, 500, _("An error on our side. It has been logged."))
    return defaults.server_error(request)


def _told(request, status, text):
    """In OpenAI's shape where its clients call."""
    if request.path.startswith(OPENAI):
        kind = "invalid_request_error" if status < 500 else "server_error"
        body = {"error": {"message": text, "type": kind, "param": None, "code": None}}
    else:
        body = {"detail": text}
    return JsonResponse(body, status=status)
