"""The API of a course's webhook."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.doorbell import ring
from courses.models import Course
from providers.hooks.models import Hook, HookCall, check_public
from providers.tasks import call_hooks


class HookRow(serializers.ModelSerializer):
    secret = serializers.SerializerMethodField(help_text="Told once, when it is new; else empty.")

    class Meta:
        model = Hook
        fields = ["url", "is_active", "since", "secret"]

    def get_secret(self, hook) -> str:
        return self.context.get("secret", "")


class HookAddress(serializers.Serializer):
    url = serializers.CharField(
        max_length=500, validators=[check_public], help_text="https, and on the public internet."
    )


class HookCallRow(serializers.ModelSerializer):
    class Meta:
        model = HookCall
        fields = ["id", "kind", "data", "made", "attempts", "answered", "problem", "status"]


def found(request, pk):
    return get_object_or_404(Hook, course=find(Course, pk, request.user, to="manage"))


class CourseHook(APIView):
    @extend_schema(responses=answers(HookRow))
    def get(self, request, pk):
        """Where the course's notices are sent; 404 while there is no webhook."""
        return Response(HookRow(found(request, pk)).data)

    @extend_schema(request=HookAddress, responses=answers(HookRow))
    def put(self, request, pk):
        """Send the course's notices there from now on, signed as Standard Webhooks with the secret in the answer."""
        course = find(Course, pk, request.user, to="manage")
        hook, secret = Hook.objects.point(course, **checked(HookAddress, request), by=request.user)
        return Response(HookRow(hook, context={"secret": secret}).data)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Send nothing more."""
        found(request, pk).remove(by=request.user)
        return Response(status=204)


class HookSecret(APIView):
    @extend_schema(request=None, responses=answers(HookRow))
    def post(self, request, pk):
        """A new secret; the old one signs nothing more."""
        hook = found(request, pk)
        return Response(HookRow(hook, context={"secret": hook.renew_secret(by=request.user)}).data)


class HookTest(APIView):
    @extend_schema(request=None, responses=answers(HookCallRow, 201))
    def post(self, request, pk):
        """Send a call of the kind `test`."""
        call = found(request, pk).test(by=request.user)
        ring(call_hooks)
        return Response(HookCallRow(call).data, status=201)


class HookCalls(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(HookCallRow)))
    def get(self, request, pk):
        """What was sent, newest first, and how it was answered."""
        return paged(request, found(request, pk).calls.all(), HookCallRow)
