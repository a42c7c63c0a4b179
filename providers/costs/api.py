"""The API of a course's money: its month, its sums, their file, and the limit."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, Pages, answers, checked
from common.csv_file import csv_file
from courses.models import Course
from providers.costs.report import HEAD, ON_A_COURSE, Month, chosen, lines, summed, table, total
from providers.ledger import Budget, LedgerEntry

USD = {"max_digits": 14, "decimal_places": 6, "read_only": True}
MONTH = {"format": "%Y-%m", "input_formats": ["%Y-%m"]}


class MonthRow(serializers.Serializer):
    """Null as `limit`: none is set, and only free models can be used."""

    month = serializers.DateField(source="first", **MONTH)
    limit = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    reserved = serializers.DecimalField(source="sums.reserved", **USD)
    billed = serializers.DecimalField(source="sums.billed", **USD)
    free = serializers.DecimalField(**USD)
    level = serializers.CharField(help_text="“near” from 80 % on, “reached” at the limit, else empty.")


class CostRow(serializers.Serializer):
    """One sum; what it was not summed by is null."""

    month = serializers.DateField(format="%Y-%m", allow_null=True)
    person = serializers.IntegerField(source="person.pk", allow_null=True, default=None)
    name = serializers.CharField(source="person.called", allow_null=True, default=None)
    purpose = serializers.CharField(allow_null=True)
    model = serializers.CharField(source="model.name", allow_null=True, default=None)
    provider = serializers.CharField(source="model.provider.name", allow_null=True, default=None)
    entries, tokens = serializers.IntegerField(), serializers.IntegerField(min_value=0, max_value=2**62)
    estimated, reserved = serializers.DecimalField(**USD), serializers.DecimalField(**USD)
    billed = serializers.DecimalField(**USD)


class Costs(serializers.Serializer):
    currency = serializers.CharField(help_text="USD")
    budget = MonthRow(help_text="The present month, whatever the filter.")
    total = CostRow(help_text="All that fits the filter.")
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CostRow(many=True)


class CostQuery(serializers.Serializer):
    since = serializers.DateField(required=False, default=None, help_text="such as 2026-11", **MONTH)
    until = serializers.DateField(required=False, default=None, help_text="such as 2026-11", **MONTH)
    person = serializers.IntegerField(required=False, default=None, min_value=1, max_value=2**62)
    purpose = serializers.ChoiceField(LedgerEntry.Purpose.choices, required=False, default="")


class CostGroups(CostQuery):
    by = serializers.ChoiceField(
        ON_A_COURSE, required=False, default="", help_text="One sum for each; else one for every combination."
    )


class NewLimit(serializers.Serializer):
    month = serializers.DateField(help_text="such as 2026-11", **MONTH)
    limit = serializers.DecimalField(max_digits=12, decimal_places=4, min_value=0, help_text="US dollars")


class BudgetRow(serializers.ModelSerializer):
    month = serializers.DateField(format="%Y-%m")
    free = serializers.DecimalField(**USD)
    over = serializers.DecimalField(help_text="What is held above the limit.", **USD)
    level = serializers.CharField(read_only=True)

    class Meta:
        model = Budget
        fields = ["month", "limit", "held", "free", "over", "level"]


class CourseCosts(APIView):
    @extend_schema(parameters=[CostGroups, *PAGE_PARAMETERS], responses=answers(Costs))
    def get(self, request, pk):
        """What a course spends: its month, and sums of what is estimated, reserved and billed."""
        course = find(Course, pk, request.user, to="read")
        wanted = _wanted(request, CostGroups)
        by = [wanted["by"]] if wanted["by"] else ON_A_COURSE
        rows, pages = chosen(course.ledger.all(), **wanted), Pages()
        found = lines(pages.paginate_queryset(summed(rows, *by), request))
        told = pages.get_paginated_response(CostRow(found, many=True).data)
        head = {
            "currency": "USD", "budget": MonthRow(Month(course)).data, "total": CostRow(total(rows)).data,
        }  # fmt: skip
        return Response({**head, **told.data})


class CostsFile(APIView):
    @extend_schema(parameters=[CostQuery], responses=answers(OpenApiTypes.STR, media="text/csv"))
    def get(self, request, pk):
        """The sums as CSV, one for every month, person, purpose and model."""
        course = find(Course, pk, request.user, to="read")
        rows = chosen(course.ledger.all(), **_wanted(request, CostQuery))
        return csv_file(f"costs-course-{course.pk}.csv", HEAD, table(rows))


class CourseBudget(APIView):
    @extend_schema(request=NewLimit, responses=answers(BudgetRow))
    def put(self, request, pk):
        """Set what the course may spend in a month; below what is held it only stops further spending."""
        course = find(Course, pk, request.user, to="manage")
        budget = Budget.objects.set_limit(course, **checked(NewLimit, request), by=request.user)
        return Response(BudgetRow(budget).data)


def _wanted(request, serializer):
    query = serializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    return query.validated_data
