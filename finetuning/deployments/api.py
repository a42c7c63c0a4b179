from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.doorbell import ring
from finetuning.models import Deployment, TunedModel
from finetuning.tasks import sweep_deployments


class DeploymentRow(serializers.ModelSerializer):
    provider = serializers.CharField(source="provider.name")
    spent = serializers.DecimalField(14, 6, help_text="US dollars since it is up, hours begun counted whole")

    class Meta:
        model = Deployment
        fields = [
            "id", "tuned_model", "provider", "name", "state", "problem", "ends", "made", "up_since", "last_used",
            "hourly", "spent",
        ]  # fmt: skip


class NewDeployment(serializers.Serializer):
    name = serializers.CharField(
        default="", allow_blank=True, max_length=200,
        help_text="Where a person has deployed it at the provider, its name there; it may follow later.",
    )  # fmt: skip


class DeploymentName(serializers.Serializer):
    name = serializers.CharField(max_length=200, help_text="As a person has named it at the provider.")


class ModelDeployments(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(DeploymentRow)))
    def get(self, request, pk):
        """The deployments of a tuned model, newest first."""
        rows = find(TunedModel, pk, request.user).deployments.select_related("provider")
        return paged(request, rows, DeploymentRow)

    @extend_schema(request=NewDeployment, responses=answers(DeploymentRow, 201))
    def post(self, request, pk):
        """Put a tuned model up for use. While it is, asking again gives the same deployment."""
        tuned = find(TunedModel, pk, request.user, to="train")
        row = Deployment.objects.start(tuned, by=request.user, **checked(NewDeployment, request))
        ring(sweep_deployments)
        return Response(DeploymentRow(row).data, status=201)


class OneDeployment(APIView):
    @extend_schema(responses=answers(DeploymentRow))
    def get(self, request, pk):
        """A deployment: its callable name, its state, what it costs."""
        return Response(DeploymentRow(find(Deployment, pk, request.user)).data)


class NameDeployment(APIView):
    @extend_schema(request=DeploymentName, responses=answers(DeploymentRow))
    def post(self, request, pk):
        """Say by what name a person has deployed it at the provider. It is tried until it answers."""
        row = find(Deployment, pk, request.user, to="train")
        row.call_it(checked(DeploymentName, request)["name"], by=request.user)
        ring(sweep_deployments)
        return Response(DeploymentRow(row).data)


class RemoveDeployment(APIView):
    @extend_schema(request=None, responses=answers(DeploymentRow))
    def post(self, request, pk):
        """Take a deployment down."""
        row = find(Deployment, pk, request.user, to="train")
        row.remove(by=request.user)
        ring(sweep_deployments)
        return Response(DeploymentRow(row).data)
