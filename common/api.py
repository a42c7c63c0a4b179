"""What every endpoint shares: pages of rows, one place for refusals, one for documented errors."""

from functools import cache

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from redis.exceptions import RedisError
from rest_framework import serializers, status
from rest_framework.exceptions import ParseError
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.states import IllegalMove, Refused

AWAY = gettext_lazy("The store that counts attempts is away. Try again in a minute.")


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500


class Problem(serializers.Serializer):
    """Why a request was refused."""

    detail = serializers.CharField(help_text="What is wrong and what to do.")
    problems = serializers.ListField(child=serializers.CharField(), required=False)


def refuse(error, context):
    """Illegal moves are 409, bad values 400, whatever endpoint met them."""
    if isinstance(error, Refused):
        code = status.HTTP_409_CONFLICT if isinstance(error, IllegalMove) else status.HTTP_400_BAD_REQUEST
        return Response({"detail": str(error)}, status=code)
    if isinstance(error, ValidationError):
        problems = _named(error)
        return Response({"detail": problems[0], "problems": problems}, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, RedisError):
        return Response({"detail": AWAY}, status=status.HTTP_503_SERVICE_UNAVAILABLE)
    return exception_handler(unreadable(error), context)


def unreadable(error):
    """A body that is too long or too deep to be read is the caller's mistake."""
    if isinstance(error, RecursionError):
        return ParseError(_("The body is nested too deeply."))
    if isinstance(error, RequestDataTooBig):
        return ParseError(_("The body is too long."))
    return error


def _named(error: ValidationError) -> list[str]:
    """The problems, each with the field it belongs to where it belongs to one."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        text if name == NON_FIELD_ERRORS else f"{name}: {text}"
        for name, texts in error.message_dict.items()
        for text in texts
    ]


def paged(request, rows, serializer):
    """One page of rows as `page_of(serializer)` describes it."""
    pages = Pages()
    found = pages.paginate_queryset(rows, request)
    return pages.get_paginated_response(serializer(found, many=True, context={"request": request}).data)


@cache
def page_of(serializer):
    name = serializer.__name__.removesuffix("Row")
    return inline_serializer(
        f"{name}Page",
        {
            "count": serializers.IntegerField(),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializer(many=True),
        },
    )


PAGE_PARAMETERS = [OpenApiParameter("page", int), OpenApiParameter("page_size", int)]


def checked(serializer, request):
    """The values of the request's body by this serializer, or a 400."""
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data


def answers(ok=None, code=200, gone=True, media=None):
    """The `responses` of an endpoint: its own answer and the refusals that it may give."""
    documented = {(code, media) if media else code: ok or OpenApiResponse(description="Done.")}
    for refusal, text in REFUSALS.items():
        if gone or refusal != 404:
            documented[refusal] = OpenApiResponse(Problem, description=text)
    return documented


REFUSALS = {
    400: "A value is wrong.",
    401: "No valid token or session.",
    403: "You may see this but not do it.",
    404: "Nothing there that you may see.",
    409: "Not possible in the present state.",
}
