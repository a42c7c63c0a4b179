"""The API of a course's people: members, invitations, programs, audit trail."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import find, rights
from accounts.models import AuditEntry, Token, User
from accounts.roles import SCOPES, Role
from accounts.tokens import make_token, revoke_token
from common.api import PAGE_PARAMETERS, answers, checked, page_of, paged
from common.csv_file import csv_file
from courses.models import Course, Invitation, Membership, Service
from courses.people import mailing
from courses.people.trail import HEAD, lines, trail


class MemberRow(serializers.ModelSerializer):
    email = serializers.SerializerMethodField(help_text="Empty unless you manage the members.")
    name = serializers.CharField(source="user.called", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "since"]

    def get_email(self, member) -> str:
        return member.user.email if self.context.get("manages") else ""


class NewMember(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)

    def validate_email(self, email):
        person = User.objects.known(email)
        if person is None:
            raise serializers.ValidationError("Nobody here signs in with this email: invite them.")
        return person


class NewRole(serializers.Serializer):
    role = serializers.ChoiceField(Role.choices)


class TwoPerson(serializers.Serializer):
    two_person = serializers.BooleanField()


class NewOwner(serializers.Serializer):
    member = serializers.IntegerField(help_text="Id of a membership of this course.")


class NewInvitation(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)


class InvitationRow(serializers.ModelSerializer):
    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "made", "expires", "accepted", "revoked"]


class InvitationMade(InvitationRow):
    link = serializers.CharField(read_only=True, help_text="Shown once; also mailed to the address.")

    class Meta(InvitationRow.Meta):
        fields = [*InvitationRow.Meta.fields, "link"]


class CourseTokenRow(serializers.ModelSerializer):
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Token
        fields = ["id", "token_key", "scopes", "created", "expiry", "last_used"]


class ServiceRow(serializers.ModelSerializer):
    tokens = CourseTokenRow(source="auth_token_set", many=True, read_only=True)

    class Meta:
        model = Service
        fields = ["id", "name", "joined", "tokens"]


class NewService(serializers.Serializer):
    name = serializers.CharField(max_length=150)
    role = serializers.ChoiceField([each for each in Role.choices if each[0] != Role.OWNER])


class NewServiceToken(serializers.Serializer):
    scopes = serializers.ListField(child=serializers.ChoiceField(sorted(SCOPES)), allow_empty=False)
    days = serializers.IntegerField(min_value=1, max_value=365, default=90)


class ServiceToken(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Bearer …`. It is shown once.")
    expiry = serializers.DateTimeField()


class AuditRow(serializers.ModelSerializer):
    before, after = serializers.JSONField(), serializers.JSONField()
    details = serializers.DictField()

    class Meta:
        model = AuditEntry
        fields = [
            "id", "at", "actor", "role", "action", "object_type", "object_id", "object_label", "before",
            "after", "details", "address", "request_id",
        ]  # fmt: skip


class AuditQuery(serializers.Serializer):
    action = serializers.CharField(required=False, default="")
    person = serializers.IntegerField(required=False, default=None, min_value=1, max_value=2**62)
    since = serializers.DateField(required=False, default=None)
    until = serializers.DateField(required=False, default=None)


class Members(APIView):
    @extend_schema(responses=answers(MemberRow(many=True)))
    def get(self, request, pk):
        """Who has which role. Students see who teaches, not each other."""
        course = find(Course, pk, request.user)
        may = rights(request.user, course)
        context = {"manages": "manage" in may}
        return Response(MemberRow(course.memberships.shown_to(may), many=True, context=context).data)

    @extend_schema(request=NewMember, responses=answers(MemberRow, 201))
    def post(self, request, pk):
        """Give a person a role, or another one."""
        course = find(Course, pk, request.user, to="manage")
        values = checked(NewMember, request)
        course.set_role(values["email"], values["role"], by=request.user)
        member = course.memberships.get(user=values["email"])
        return Response(MemberRow(member, context={"manages": True}).data, status=201)


class OneMember(APIView):
    @extend_schema(request=NewRole, responses=answers(MemberRow))
    def patch(self, request, pk):
        """Give a member another role."""
        member = find(Membership, pk, request.user, to="manage")
        member.course.set_role(member.user, checked(NewRole, request)["role"], by=request.user)
        member.refresh_from_db()
        return Response(MemberRow(member, context={"manages": True}).data)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Take a person's role away."""
        member = find(Membership, pk, request.user, to="manage")
        member.course.remove_member(member.user, by=request.user)
        return Response(status=204)


class Leave(APIView):
    @extend_schema(request=None, responses=answers(code=204))
    def post(self, request, pk):
        """Give your own role back."""
        find(Course, pk, request.user).remove_member(request.user, by=request.user)
        return Response(status=204)


class HandOver(APIView):
    @extend_schema(request=NewOwner, responses=answers(MemberRow))
    def post(self, request, pk):
        """Make another member owner; you stay as editor."""
        course = find(Course, pk, request.user, to="manage")
        member = (
            course.memberships.others(request.user).filter(pk=checked(NewOwner, request)["member"]).first()
        )
        if member is None:
            raise serializers.ValidationError({"member": "There is no such other member of this course."})
        course.hand_over(member.user, by=request.user)
        member.refresh_from_db()
        return Response(MemberRow(member).data)


class TwoPersonRule(APIView):
    @extend_schema(request=TwoPerson, responses=answers(TwoPerson))
    def put(self, request, pk):
        """Put the two-person rule in force; only staff may lift it."""
        course = find(Course, pk, request.user, to="manage")
        course.set_two_person(checked(TwoPerson, request)["two_person"], by=request.user)
        return Response(TwoPerson(course).data)


class Invitations(APIView):
    @extend_schema(parameters=PAGE_PARAMETERS, responses=answers(page_of(InvitationRow)))
    def get(self, request, pk):
        """The invitations to a course, newest first."""
        course = find(Course, pk, request.user, to="manage")
        return paged(request, course.invitations.all(), InvitationRow)

    @extend_schema(request=NewInvitation, responses=answers(InvitationMade, 201))
    def post(self, request, pk):
        """Invite an address; an older open invitation to it dies."""
        course = find(Course, pk, request.user, to="manage")
        invitation, secret = course.invite(**checked(NewInvitation, request), by=request.user)
        mailing.send(invitation, secret)
        invitation.link = mailing.link(secret)
        return Response(InvitationMade(invitation).data, status=201)


class OneInvitation(APIView):
    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Take an invitation back."""
        find(Invitation, pk, request.user, to="manage").revoke(by=request.user)
        return Response(status=204)


class Services(APIView):
    @extend_schema(responses=answers(ServiceRow(many=True)))
    def get(self, request, pk):
        """The programs that have access to a course, with their tokens."""
        course = find(Course, pk, request.user, to="publish")
        return Response(ServiceRow(Service.objects.of(course).with_tokens(), many=True).data)

    @extend_schema(request=NewService, responses=answers(ServiceRow, 201))
    def post(self, request, pk):
        """Give a program a role on the course."""
        course = find(Course, pk, request.user, to="publish")
        return Response(
            ServiceRow(course.add_service(**checked(NewService, request), by=request.user)).data, 201
        )


class OneService(APIView):
    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """End a program's access."""
        find(Service, pk, request.user, to="publish").retire(by=request.user)
        return Response(status=204)


class ServiceTokens(APIView):
    @extend_schema(request=NewServiceToken, responses=answers(ServiceToken, 201))
    def post(self, request, pk):
        """Make a token for a program, limited to its course."""
        service = find(Service, pk, request.user, to="publish")
        values = checked(NewServiceToken, request)
        row, secret = make_token(service, **values, courses=[service.serves], by=request.user)
        return Response({"token": secret, "expiry": row.expiry}, status=201)


class OneServiceToken(APIView):
    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk, token):
        """Revoke a program's token at once."""
        revoke_token(find(Service, pk, request.user, to="publish"), token, by=request.user)
        return Response(status=204)


class Audit(APIView):
    @extend_schema(parameters=[AuditQuery, *PAGE_PARAMETERS], responses=answers(page_of(AuditRow)))
    def get(self, request, pk):
        """The audit trail of a course, newest first."""
        course = find(Course, pk, request.user, to="manage")
        return paged(request, trail(course, **_wanted(request)), AuditRow)


class AuditFile(APIView):
    @extend_schema(parameters=[AuditQuery], responses=answers(OpenApiTypes.STR, media="text/csv"))
    def get(self, request, pk):
        """The same as CSV."""
        course = find(Course, pk, request.user, to="manage")
        return csv_file(f"audit-course-{course.pk}.csv", HEAD, lines(trail(course, **_wanted(request))))


def _wanted(request):
    query = AuditQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    return query.validated_data
