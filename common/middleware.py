from django.core.exceptions import ValidationError
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled

from common.api import AWAY
from common.states import IllegalMove, Refused

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def content_security_policy(get_response):
    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


class Refusals:
    """One place where a page answers an illegal move with 409, a bad value with 400, and haste with 429."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, error):
        if isinstance(error, Refused):
            status = 409 if isinstance(error, IllegalMove) else 400
            problems = [str(error)]
        elif isinstance(error, ValidationError):
            status, problems = 400, error.messages
        elif isinstance(error, Throttled):
            status, problems = 429, [error.detail]
        elif isinstance(error, RedisError):
            status, problems = 503, [AWAY]
        else:
            return None
        context = {"problems": problems, "back": way_back(request)}
        response = render(request, "problem.html", context, status=status)
        if status == 429:
            response.headers["Retry-After"] = str(error.wait)
        return response


def way_back(request):
    """The page that the person comes from, if it is one of ours; else the first."""
    back = request.META.get("HTTP_REFERER", "")
    return back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "/"
