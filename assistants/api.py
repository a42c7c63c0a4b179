from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from assistants.models import Assistant
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from courses.models import Course
from finetuning.models import TunedModel


class AssistantRow(serializers.ModelSerializer):
    model = serializers.CharField(source="api_name", help_text="Its name for `/api/v1/chat/completions`.")

    class Meta:
        model = Assistant
        fields = ["id", "title", "model", "instructions", "state", "course", "created"]


class NewAssistant(serializers.Serializer):
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class CourseAssistants(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(AssistantRow)))
    def get(self, request, pk):
        """The assistants of a course that you may use."""
        course = find(Course, pk, request.user)
        return paged(request, Assistant.objects.visible_to(request.user).of(course), AssistantRow)


class ModelAssistants(APIView):
    @extend_schema(request=NewAssistant, responses=answers(AssistantRow, 201))
    def post(self, request, pk):
        """Make a draft assistant of a tuned model."""
        tuned = find(TunedModel, pk, request.user, to="publish")
        assistant = Assistant.objects.start(tuned, by=request.user, **checked(NewAssistant, request))
        return Response(AssistantRow(assistant).data, status=201)


class OneAssistant(APIView):
    @extend_schema(responses=answers(AssistantRow))
    def get(self, request, pk):
        """One assistant."""
        return Response(AssistantRow(find(Assistant, pk, request.user)).data)


class Publish(APIView):
    @extend_schema(request=None, responses=answers(AssistantRow))
    def post(self, request, pk):
        """Open it to everyone on the course."""
        assistant = find(Assistant, pk, request.user, to="publish")
        assistant.publish(by=request.user)
        return Response(AssistantRow(assistant).data)


class ApprovePublication(APIView):
    @extend_schema(request=None, responses=answers(AssistantRow))
    def post(self, request, pk):
        """Agree to a publication that somebody else has asked for, under the two-person rule."""
        assistant = find(Assistant, pk, request.user, to="approve")
        assistant.approve(by=request.user)
        return Response(AssistantRow(assistant).data)


class Archive(APIView):
    @extend_schema(request=None, responses=answers(AssistantRow))
    def post(self, request, pk):
        """Put it away."""
        assistant = find(Assistant, pk, request.user, to="publish")
        assistant.archive(by=request.user)
        return Response(AssistantRow(assistant).data)


class Restore(APIView):
    @extend_schema(request=None, responses=answers(AssistantRow))
    def post(self, request, pk):
        """Take it out again, as a draft."""
        assistant = find(Assistant, pk, request.user, to="publish")
        assistant.restore(by=request.user)
        return Response(AssistantRow(assistant).data)


class Withdraw(APIView):
    @extend_schema(request=None, responses=answers(AssistantRow))
    def post(self, request, pk):
        """Close it again to those who only chat."""
        assistant = find(Assistant, pk, request.user, to="publish")
        assistant.withdraw(by=request.user)
        return Response(AssistantRow(assistant).data)
