from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api import answers
from providers.models import Model, Price


class PriceRow(serializers.ModelSerializer):
    class Meta:
        model = Price
        fields = ["what", "amount", "valid_from", "source"]


class BaseModelRow(serializers.ModelSerializer):
    provider = serializers.CharField(source="provider.name")
    kind = serializers.CharField(source="provider.kind")
    methods = serializers.SerializerMethodField()
    prices = PriceRow(many=True)

    class Meta:
        model = Model
        fields = [
            "id", "name", "provider", "kind", "methods", "context_tokens", "example_tokens", "languages", "licence",
            "train_until", "serve_until", "dates_source", "prices",
        ]  # fmt: skip

    def get_methods(self, model) -> list[str]:
        return model.provider.can("methods")


class BaseModels(APIView):
    @extend_schema(responses=answers(BaseModelRow(many=True), gone=False))
    def get(self, request):
        """Models that can be tuned today, with their prices in US dollars per 1M tokens."""
        rows = Model.objects.trainable().prefetch_related("prices")
        return Response(BaseModelRow(rows, many=True).data)
