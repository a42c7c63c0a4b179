from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find, rights
from accounts.scopes import need_whole
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.personal import Kind
from courses.models import Course, Passage, Text
from courses.notices import Notice, find_notice
from courses.uploading import add_texts


class CourseRow(serializers.ModelSerializer):
    class Meta:
        model = Course
        fields = ["id", "title", "description", "language", "two_person", "created"]
        read_only_fields = ["two_person"]


class CourseDetail(CourseRow):
    rights = serializers.SerializerMethodField(help_text="What you may do here.")

    class Meta(CourseRow.Meta):
        fields = [*CourseRow.Meta.fields, "rights"]

    def get_rights(self, course) -> list[str]:
        return sorted(rights(self.context["request"].user, course))


class TextFinding(serializers.Serializer):
    kind = serializers.ChoiceField(Kind.choices)
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="In characters of the text.")
    end = serializers.IntegerField()


class TextRow(serializers.ModelSerializer):
    section = serializers.CharField(source="section.title", read_only=True)
    personal = TextFinding(many=True, read_only=True)

    class Meta:
        model = Text
        fields = [
            "id",
            "source_name",
            "section",
            "kind",
            "language",
            "tokens",
            "version",
            "sha256",
            "added",
            "personal",
        ]


class PassageRow(serializers.ModelSerializer):
    section = serializers.CharField(source="section.title", read_only=True)

    class Meta:
        model = Passage
        fields = ["id", "section", "start", "end", "tokens", "sha256", "quote"]


class NoticeRow(serializers.ModelSerializer):
    text = serializers.CharField(read_only=True)
    data = serializers.DictField(help_text="The same as keys, names and the day in question.")
    path = serializers.CharField(read_only=True, help_text="The page that says more.")
    elsewhere = serializers.CharField(
        read_only=True, help_text="Where to train the same version with another provider; may be empty."
    )

    class Meta:
        model = Notice
        fields = ["id", "kind", "text", "data", "path", "elsewhere", "made", "mailed", "seen"]


class Files(serializers.Serializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), allow_empty=False)


class Uploaded(serializers.Serializer):
    texts = TextRow(many=True)
    problems = serializers.ListField(child=serializers.CharField(), help_text="Why a file was refused.")


class Courses(APIView):
    @extend_schema(
        operation_id="courses_list",
        parameters=PAGE_PARAMETERS,
        responses=answers(page_of(CourseRow), gone=False),
    )
    def get(self, request):
        """The courses on which you have a role."""
        return paged(request, Course.objects.visible_to(request.user), CourseRow)

    @extend_schema(request=CourseRow, responses=answers(CourseRow, 201, gone=False))
    def post(self, request):
        """Start a course; instructors may, and own it."""
        need_whole(request.user)
        if not request.user.may_create_courses:
            raise PermissionDenied
        course = Course.objects.start(by=request.user, **checked(CourseRow, request))
        return Response(CourseRow(course).data, status=201)


class OneCourse(APIView):
    @extend_schema(responses=answers(CourseDetail))
    def get(self, request, pk):
        """A course and what you may do on it."""
        course = find(Course, pk, request.user)
        return Response(CourseDetail(course, context={"request": request}).data)

    @extend_schema(request=CourseRow, responses=answers(CourseRow))
    def patch(self, request, pk):
        """Change its title, description or language."""
        course = find(Course, pk, request.user, to="edit")
        form = CourseRow(course, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        course.change(by=request.user, **form.validated_data)
        return Response(CourseRow(course).data)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Delete the course and all that is in it, for good. The audit trail stays."""
        find(Course, pk, request.user, to="manage").remove(by=request.user)
        return Response(status=204)


class Texts(APIView):
    parser_classes = [MultiPartParser]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(TextRow)))
    def get(self, request, pk):
        """The texts of a course, without those that were replaced."""
        course = find(Course, pk, request.user)
        return paged(request, Text.objects.current().of(course).with_passages(), TextRow)

    @extend_schema(request=Files, responses=answers(Uploaded, 201))
    def post(self, request, pk):
        """Upload .md and .txt files, several at once. 201 when at least one was read, else 400."""
        course = find(Course, pk, request.user, to="edit")
        form = Files(data={"files": request.FILES.getlist("files")})
        form.is_valid(raise_exception=True)
        done = add_texts(course, form.validated_data["files"], by=request.user)
        if not done.texts:
            return Response({"detail": done.problems[0], "problems": done.problems}, status=400)
        return Response(Uploaded(done).data, status=201)


class OneText(APIView):
    @extend_schema(responses=answers(TextRow))
    def get(self, request, pk):
        """One text."""
        return Response(TextRow(find(Text, pk, request.user)).data)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Remove a text; what cites it keeps its quote."""
        find(Text, pk, request.user, to="edit").remove(by=request.user)
        return Response(status=204)


class Passages(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(PassageRow)))
    def get(self, request, pk):
        """The passages that a text was cut into, with offsets in characters."""
        text = find(Text, pk, request.user)
        return paged(request, text.passages.select_related("section"), PassageRow)


class Notices(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(NoticeRow)))
    def get(self, request, pk):
        """What you were told about a course, newest first: ends of jobs, models that are shut down."""
        course = find(Course, pk, request.user, to="read")
        return paged(request, course.notices.to(request.user), NoticeRow)


class PutAway(APIView):
    @extend_schema(request=None, responses=answers(NoticeRow))
    def post(self, request, pk):
        """Put a notice of yours away: it no longer stands on the course's pages."""
        notice = find_notice(pk, request.user)
        notice.put_away()
        notice.refresh_from_db()
        return Response(NoticeRow(notice).data)
