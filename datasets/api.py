from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.personal import Kind
from courses.models import Course, Section
from datasets.files import export_file, version_file
from datasets.freezing import freeze
from datasets.importing import take_in_file
from datasets.models import Citation, Dataset, Example, Generation, Import, Version
from datasets.states import ExampleState, Split


class DatasetRow(serializers.ModelSerializer):
    total = serializers.IntegerField(read_only=True, default=0)
    approved = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Dataset
        fields = ["id", "course", "title", "instructions", "created", "total", "approved"]
        read_only_fields = ["course"]


class CitationRow(serializers.ModelSerializer):
    text = serializers.IntegerField(source="passage.text_id")

    class Meta:
        model = Citation
        fields = ["passage", "text", "start", "end", "quote"]


class Finding(serializers.Serializer):
    message = serializers.IntegerField(help_text="Index of the message.")
    kind = serializers.ChoiceField(Kind.choices)
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="In characters of the message's text, or of the field's.")
    end = serializers.IntegerField()
    field = serializers.CharField(
        required=False, help_text="`tool_calls` or `refusal`, if not in the content."
    )


class PersonalRow(Finding):
    example = serializers.IntegerField()
    state = serializers.ChoiceField(ExampleState.choices)


class ExampleRow(serializers.ModelSerializer):
    messages = serializers.ListField(child=serializers.DictField(), help_text="As in OpenAI's chat format.")
    rejected = serializers.DictField(allow_null=True, help_text="The worse answer of a preference.")
    citations = CitationRow(many=True, read_only=True)
    personal = Finding(many=True, read_only=True)

    class Meta:
        model = Example
        fields = [
            "id",
            "section",
            "messages",
            "rejected",
            "state",
            "origin",
            "tokens",
            "personal",
            "citations",
        ]
        read_only_fields = ["section", "state", "origin", "tokens"]


class NewExample(serializers.Serializer):
    messages = serializers.ListField(child=serializers.DictField())
    rejected = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="A worse answer of the assistant, for training by preferences.",
    )
    section = serializers.IntegerField(required=False, help_text="Id of a section of this course.")


class Note(serializers.Serializer):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class GenerationRow(serializers.ModelSerializer):
    class Meta:
        model = Generation
        fields = ["id", "made", "at"]


class ImportRow(serializers.ModelSerializer):
    problems = serializers.ListField(
        child=serializers.DictField(), help_text="`line` and `problem` of each bad line."
    )

    class Meta:
        model = Import
        fields = ["id", "file", "sha256", "added", "known", "bad", "problems", "at"]


class JsonlFile(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True)
    skip_bad = serializers.BooleanField(
        default=False, help_text="Take the good lines of a file with bad ones."
    )


class VersionRow(serializers.ModelSerializer):
    statistics = serializers.DictField()
    checks = serializers.DictField()
    files = serializers.DictField(help_text="sha256 and bytes of the JSONL file of each split.")

    class Meta:
        model = Version
        fields = [
            "id",
            "dataset",
            "number",
            "seed",
            "instructions",
            "statistics",
            "checks",
            "files",
            "frozen",
        ]


class FreezeSettings(serializers.Serializer):
    seed = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)
    validation = serializers.FloatField(default=0.1, min_value=0, max_value=0.5)
    test = serializers.FloatField(default=0.1, min_value=0, max_value=0.5)
    personal_ok = serializers.BooleanField(
        default=False, help_text="Freeze although approved examples hold personal data."
    )


class Approved(serializers.Serializer):
    approved = serializers.IntegerField()


class Datasets(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(DatasetRow)))
    def get(self, request, pk):
        """The data sets of a course."""
        course = find(Course, pk, request.user, to="read")
        return paged(request, Dataset.objects.of(course).with_counts(), DatasetRow)

    @extend_schema(request=DatasetRow, responses=answers(DatasetRow, 201))
    def post(self, request, pk):
        """Start a data set."""
        course = find(Course, pk, request.user, to="edit")
        dataset = Dataset.objects.start(course, by=request.user, **checked(DatasetRow, request))
        return Response(DatasetRow(dataset).data, status=201)


class OneDataset(APIView):
    @extend_schema(responses=answers(DatasetRow))
    def get(self, request, pk):
        """One data set with its counts."""
        dataset = find(Dataset, pk, request.user)
        return Response(DatasetRow(Dataset.objects.with_counts().get(pk=dataset.pk)).data)

    @extend_schema(request=DatasetRow, responses=answers(DatasetRow))
    def patch(self, request, pk):
        """Change its title or instructions."""
        form = DatasetRow(find(Dataset, pk, request.user, to="edit"), data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data)


class Build(APIView):
    @extend_schema(request=None, responses=answers(GenerationRow, 201))
    def post(self, request, pk):
        """Cut question and answer pairs from the course's texts."""
        run = find(Dataset, pk, request.user, to="edit").build(by=request.user)
        return Response(GenerationRow(run).data, status=201)


class ImportFile(APIView):
    parser_classes = [MultiPartParser]

    @extend_schema(request=JsonlFile, responses=answers(ImportRow, 201))
    def post(self, request, pk):
        """Bring in a JSONL file. With bad lines nothing is taken and 400 names each, unless `skip_bad`."""
        dataset = find(Dataset, pk, request.user, to="edit")
        values = checked(JsonlFile, request)
        report = take_in_file(dataset, values["file"], by=request.user, skip_bad=values["skip_bad"])
        taken = report.added or report.known
        return Response(ImportRow(report).data, status=201 if taken else 400)


class Export(APIView):
    @extend_schema(responses=answers(OpenApiTypes.STR, media="application/jsonl"))
    def get(self, request, pk):
        """All approved examples as JSONL."""
        return export_file(find(Dataset, pk, request.user))


class ApproveDrafts(APIView):
    @extend_schema(request=None, responses=answers(Approved))
    def post(self, request, pk):
        """Approve all drafts at once."""
        count = find(Dataset, pk, request.user, to="review").approve_drafts(by=request.user)
        return Response({"approved": count})


class Examples(APIView):
    @extend_schema(
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("state", str, enum=ExampleState.values),
            OpenApiParameter("personal", int, enum=[1], description="Only those that hold personal data."),
        ],
        responses=answers(page_of(ExampleRow)),
    )
    def get(self, request, pk):
        """The examples of a data set."""
        dataset = find(Dataset, pk, request.user)
        rows = dataset.examples.in_state(request.query_params.get("state"))
        if request.query_params.get("personal") == "1":
            rows = rows.with_personal()
        return paged(request, rows.prefetch_related("citations__passage"), ExampleRow)

    @extend_schema(request=NewExample, responses=answers(ExampleRow, 201))
    def post(self, request, pk):
        """Write an example by hand."""
        dataset = find(Dataset, pk, request.user, to="edit")
        values = checked(NewExample, request)
        section = find(Section, values["section"], request.user) if "section" in values else None
        if section and section.course_id != dataset.course_id:
            raise serializers.ValidationError({"section": "This section belongs to another course."})
        example = dataset.write(
            values["messages"], by=request.user, section=section, rejected=values.get("rejected")
        )
        return Response(ExampleRow(example).data, status=201)


class Personal(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(PersonalRow)))
    def get(self, request, pk):
        """The emails, phone numbers and names of people that its examples hold, one a row."""
        dataset = find(Dataset, pk, request.user)
        held = dataset.examples.with_personal().values_list("pk", "state", "personal")
        rows = [{"example": pk, "state": state, **each} for pk, state, found in held for each in found]
        return paged(request, rows, PersonalRow)


class OneExample(APIView):
    @extend_schema(responses=answers(ExampleRow))
    def get(self, request, pk):
        """One example with its citations."""
        return Response(ExampleRow(find(Example, pk, request.user)).data)

    @extend_schema(request=NewExample, responses=answers(ExampleRow))
    def patch(self, request, pk):
        """Change its words; it is a draft again."""
        example = find(Example, pk, request.user, to="edit")
        values = checked(NewExample, request)
        worse = {"rejected": values["rejected"]} if "rejected" in values else {}
        example.rewrite(values["messages"], by=request.user, **worse)
        return Response(ExampleRow(example).data)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Remove it; frozen versions keep their copy."""
        find(Example, pk, request.user, to="edit").remove(by=request.user)
        return Response(status=204)


class Redact(APIView):
    @extend_schema(request=None, responses=answers(ExampleRow))
    def post(self, request, pk):
        """Put placeholders in place of personal data; the example is a draft again."""
        example = find(Example, pk, request.user, to="edit")
        example.redact(by=request.user)
        return Response(ExampleRow(example).data)


class Approve(APIView):
    @extend_schema(request=Note, responses=answers(ExampleRow))
    def post(self, request, pk):
        """Approve an example."""
        example = find(Example, pk, request.user, to="review")
        example.approve(by=request.user, **checked(Note, request))
        return Response(ExampleRow(example).data)


class Reject(APIView):
    @extend_schema(request=Note, responses=answers(ExampleRow))
    def post(self, request, pk):
        """Reject an example."""
        example = find(Example, pk, request.user, to="review")
        example.reject(by=request.user, **checked(Note, request))
        return Response(ExampleRow(example).data)


class Versions(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(VersionRow)))
    def get(self, request, pk):
        """The frozen versions of a data set."""
        return paged(request, find(Dataset, pk, request.user).versions.all(), VersionRow)

    @extend_schema(request=FreezeSettings, responses=answers(VersionRow, 201))
    def post(self, request, pk):
        """Freeze the approved examples, split by section. With personal data in them only if `personal_ok`."""
        dataset = find(Dataset, pk, request.user, to="freeze")
        version = freeze(dataset, by=request.user, **checked(FreezeSettings, request))
        return Response(VersionRow(version).data, status=201)


class OneVersion(APIView):
    @extend_schema(responses=answers(VersionRow))
    def get(self, request, pk):
        """One version: split, statistics, checks, hashes."""
        return Response(VersionRow(find(Version, pk, request.user)).data)


class VersionFile(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("split", str, OpenApiParameter.PATH, enum=Split.values),
            OpenApiParameter("preferences", int, enum=[1], description="The preference rows (DPO) of it."),
        ],
        responses=answers(OpenApiTypes.STR, media="application/jsonl"),
    )
    def get(self, request, pk, split):
        """The JSONL file of a split, byte for byte as frozen."""
        return version_file(find(Version, pk, request.user), split, request.GET.get("preferences") == "1")
