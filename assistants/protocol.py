"""`/api/v1/chat/completions` and `/api/v1/models`: an assistant called by any OpenAI client with our token."""

import json
import time
import uuid
from contextlib import aclosing

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from accounts.access import rights
from assistants.models import Assistant
from assistants.paying import Bill, Used
from assistants.talking import MOST_TOKENS, line_to, stream
from assistants.watching import Reader, Revoked, watched
from common.api import unreadable
from common.states import Refused
from datasets.formats import ROLE_CHOICES
from providers.errors import GivenUp, ProviderError
from providers.models import OverBudget


class ChatMessage(serializers.Serializer):
    role = serializers.ChoiceField(ROLE_CHOICES)
    content = serializers.CharField(max_length=100_000, trim_whitespace=False)


class ChatRequest(serializers.Serializer):
    """The fields that are passed on; all others are ignored."""

    model = serializers.CharField(max_length=100, help_text="`assistant-…`, as `/api/v1/models` lists them.")
    messages = ChatMessage(many=True, allow_empty=False)
    stream = serializers.BooleanField(default=False)
    stream_options = serializers.DictField(required=False, allow_null=True)
    temperature = serializers.FloatField(required=False, min_value=0, max_value=2, allow_null=True)
    top_p = serializers.FloatField(required=False, min_value=0, max_value=1, allow_null=True)
    max_tokens = serializers.IntegerField(required=False, min_value=1, max_value=4096, allow_null=True)
    max_completion_tokens = serializers.IntegerField(
        required=False, min_value=1, max_value=4096, allow_null=True
    )
    stop = serializers.JSONField(required=False, allow_null=True)
    seed = serializers.IntegerField(required=False, allow_null=True, min_value=-(2**63), max_value=2**63 - 1)

    def validate_stop(self, stop):
        texts = [stop] if isinstance(stop, str) else stop
        if texts is not None and not (
            isinstance(texts, list) and len(texts) <= 4 and all(isinstance(each, str) for each in texts)
        ):
            raise serializers.ValidationError("a text or up to four texts")
        return stop


PASSED_ON = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed")


class ModelNotFound(APIException):
    status_code, default_code = 404, "model_not_found"
    default_detail = "The model does not exist or you do not have access to it."


class ModelSilent(APIException):
    """Not our fault and not the caller's, so no 5xx: the answer says what it waits for."""

    status_code, default_code = 424, "provider_unreachable"


class BudgetExceeded(APIException):
    status_code, default_code = 429, "budget_exceeded"


def openai_shaped(error, context):
    """Errors as OpenAI's clients read them."""
    if isinstance(error, ProviderError):
        error, _status = _refusal(error)
    if isinstance(error, Refused):
        error = _refused(error)
    error = unreadable(error)
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": _body(error, response.status_code)}
        if isinstance(error, BudgetExceeded):
            response["x-should-retry"] = "false"  # else OpenAI's clients repeat it at once
    return response


def _refused(error: Refused):
    kind = BudgetExceeded if isinstance(error, OverBudget) else serializers.ValidationError
    return kind(str(error))


def _refusal(error: ProviderError):
    """(exception, status) by which a caller is told what went wrong at the provider."""
    if isinstance(error, Revoked):
        return PermissionDenied(error.text), 403
    if isinstance(error, GivenUp) and error.status == 400:
        return serializers.ValidationError(error.text), 400
    return ModelSilent(error.text), 424


def _body(error, status):
    code = error.get_codes() if hasattr(error, "get_codes") else None
    param, message = _first(getattr(error, "detail", str(error)))
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error")
    return {
        "message": message,
        "type": "insufficient_quota" if isinstance(error, BudgetExceeded) else kind,
        "param": param,
        "code": code if isinstance(code, str) else None,
    }


def _first(detail):
    """(field, text) of the first thing that is wrong."""
    field = None
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            key, detail = next(iter(detail.items()))
            field = field or str(key)
        else:
            detail = next((each for each in detail if each), "")
    return field, f"{field}: {detail}" if field else str(detail)


class OpenAIView(APIView):
    def get_exception_handler(self):
        return openai_shaped


class ChatCompletions(OpenAIView):
    @extend_schema(
        request=ChatRequest,
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, "A chat.completion, or with `stream` events."),
            **dict.fromkeys(
                (400, 401, 403, 404, 424, 429), OpenApiResponse(OpenApiTypes.OBJECT, "An error as OpenAI's.")
            ),
        },
    )
    def post(self, request):
        """Ask an assistant, in OpenAI's format."""
        form = ChatRequest(data=request.data)
        form.is_valid(raise_exception=True)
        call = Call(request, form.validated_data)
        if call.values["stream"]:
            headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
            return StreamingHttpResponse(call, content_type="text/event-stream", headers=headers)
        return Response(async_to_sync(call.whole)())


class Models(OpenAIView):
    @extend_schema(
        operation_id="v1_models_list", responses={200: OpenApiTypes.OBJECT, 401: OpenApiTypes.OBJECT}
    )
    def get(self, request):
        """The assistants that you may ask."""
        rows = Assistant.objects.visible_to(request.user)
        return Response({"object": "list", "data": [_model(row) for row in rows]})


class OneModel(OpenAIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT, 401: OpenApiTypes.OBJECT, 404: OpenApiTypes.OBJECT})
    def get(self, request, name):
        """One assistant as a model."""
        return Response(_model(named(name, request.user)))


def _model(assistant):
    return {
        "id": assistant.api_name,
        "object": "model",
        "created": int(assistant.created.timestamp()),
        "owned_by": f"course-{assistant.course_id}",
    }


def named(name, user, to="see"):
    """The assistant that `assistant-7` stands for, if this person may see it and do this with it."""
    number = name.removeprefix("assistant-")
    rows = Assistant.objects.visible_to(user).select_related(
        "course", "deployment__provider", "deployment__tuned_model__job__model"
    )
    found = rows.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 18 else None
    if found is None or found.api_name != name:
        raise ModelNotFound
    if to != "see" and to not in rights(user, found.course):
        raise PermissionDenied
    return found


class Call:
    """One chat completion: who asks, what, and how it is told."""

    def __init__(self, request, values):
        self.user, self.values = request.user, values
        self.assistant = named(values["model"], self.user, to="chat")
        self.reader = Reader.of(request, self.assistant)
        self.line = line_to(self.assistant)
        self.messages = self.assistant.briefed([dict(each) for each in values["messages"]])
        self.options = {name: values[name] for name in PASSED_ON if values.get(name) is not None}
        if "max_completion_tokens" in self.options:
            self.options["max_tokens"] = self.options.pop("max_completion_tokens")
        self.frame = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": values["model"],
        }
        self.bill = Bill(self.assistant, self.messages, self.most, self.user)

    @property
    def most(self):
        return self.options.get("max_tokens", MOST_TOKENS)

    def __aiter__(self):
        return self.events()

    def close(self):
        """A response that nobody began to read asks for nothing."""
        self.bill.drop()

    def pieces(self):
        """Texts, then `Used`, paid for by the bill."""
        asked = stream(self.line, self.messages, **self.options)
        return aclosing(self.bill.over(watched(asked, self.reader)))

    async def whole(self):
        async with self.pieces() as pieces:
            async for _piece in pieces:
                pass
        used = self.bill.spent()
        message = {"role": "assistant", "content": self.bill.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": self.finish(used), "logprobs": None}
        return {**self.frame, "object": "chat.completion", "choices": [choice], "usage": _usage(used)}

    async def events(self):
        """Server-sent events; an error after the first piece is an event too."""
        yield self.event({"role": "assistant", "content": ""})
        try:
            async with self.pieces() as pieces:
                async for piece in pieces:
                    for event in self.told(piece):
                        yield event
        except ProviderError as error:
            yield _sse({"error": _body(*_refusal(error))})
        yield "data: [DONE]\n\n"

    def told(self, piece):
        if not isinstance(piece, Used):
            return [self.event({"content": piece})]
        last = [self.event({}, finish=self.finish(piece))]
        if (self.values.get("stream_options") or {}).get("include_usage"):
            last.append(_sse({**self.chunk(), "choices": [], "usage": _usage(piece)}))
        return last

    def chunk(self):
        return {**self.frame, "object": "chat.completion.chunk"}

    def event(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _sse({**self.chunk(), "choices": [choice]})

    def finish(self, used):
        return "length" if used.told >= self.most else "stop"


def _sse(value):
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _usage(used):
    return {
        "prompt_tokens": used.asked,
        "completion_tokens": used.told,
        "total_tokens": used.asked + used.told,
    }
