from allauth.core import ratelimit
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.adapter import door
from accounts.models import Token as TokenModel
from accounts.models import User
from accounts.roles import SCOPES
from accounts.scopes import need_whole
from accounts.second_factor import NEEDED, has_second_factor, is_right, lacks_second_factor
from accounts.sessions import end_session, sessions_of
from accounts.throttling import too_many
from accounts.tokens import LONGEST, courses_named, make_token, revoke_token, tokens_of
from common.api import answers, checked

KEY = {"min_value": 1, "max_value": 2**63 - 1}


class NewToken(serializers.Serializer):
    name = serializers.CharField(max_length=100, required=False, help_text="What it is for.")
    days = serializers.IntegerField(min_value=1, max_value=LONGEST, default=90)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(list(SCOPES)), allow_empty=False, required=False,
        help_text="What it may do; all of it by default.",
    )  # fmt: skip
    courses = serializers.ListField(
        child=serializers.IntegerField(**KEY), allow_empty=False, required=False,
        help_text="Ids of the courses that it is for; every course of yours by default.",
    )  # fmt: skip


class Credentials(NewToken):
    email = serializers.EmailField()
    password = serializers.CharField(write_only=True, trim_whitespace=False)
    code = serializers.CharField(
        write_only=True, required=False, max_length=32,
        help_text="Of the authenticator app, or a recovery code; needed where the second factor is on.",
    )  # fmt: skip


class TokenRow(serializers.ModelSerializer):
    token_key = serializers.CharField(help_text="How the token begins.")
    scopes = serializers.ListField(child=serializers.ChoiceField(list(SCOPES)))
    courses = serializers.SerializerMethodField(help_text="Null: every course of its owner.")

    class Meta:
        model = TokenModel
        fields = ["id", "name", "token_key", "scopes", "courses", "created", "expiry", "last_used"]

    def get_courses(self, row) -> list[int] | None:
        return None if row.every_course else [course.pk for course in row.courses.all()]


class MadeToken(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Bearer …`. It is shown once.")
    id = serializers.IntegerField()
    expiry = serializers.DateTimeField()


class Person(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "email", "name", "language", "time_zone", "is_instructor", "is_staff"]
        read_only_fields = ["id", "email", "is_instructor", "is_staff"]


class Password(serializers.Serializer):
    password = serializers.CharField(
        required=False, trim_whitespace=False, help_text="Not needed with a token that may do everything."
    )


class SessionRow(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    browser = serializers.CharField()
    address = serializers.IPAddressField(source="ip")
    begun = serializers.DateTimeField(source="created_at")
    last_seen = serializers.DateTimeField(source="last_seen_at")
    current = serializers.BooleanField(help_text="It is the one that asks.")


class OwnAccount(IsAuthenticated):
    """One's account belongs to no course: closed to limited tokens, and to programs."""

    def has_permission(self, request, view):
        if not super().has_permission(request, view):
            return False
        need_whole(request.user)
        return not request.user.is_service


def made(user, values):
    """The answer that shows a new token, the only time."""
    values["courses"] = courses_named(user, values.get("courses"))
    row, secret = make_token(user, **values)
    return Response({"token": secret, "id": row.pk, "expiry": row.expiry}, status=201)


class SignIn(APIView):
    """Trade email and password for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=Credentials, responses=answers(MadeToken, 201), auth=[])
    def post(self, request):
        values = dict(checked(Credentials, request))
        user = self._person(request, values.pop("email"), values.pop("password"), values.pop("code", ""))
        return made(user, values)

    def _person(self, request, email, password, code):
        if not ratelimit.consume(request, action="login"):
            raise too_many()
        user = door().authenticate(request._request, email=email, password=password)
        if user is None:
            raise AuthenticationFailed(_("Email or password is wrong."))
        if lacks_second_factor(user):
            raise PermissionDenied(NEEDED)
        if has_second_factor(user) and not code:
            raise AuthenticationFailed(_("The second factor is on: send its code, too."))
        if has_second_factor(user) and not is_right(user, code):
            raise AuthenticationFailed(_("The code is wrong, or has been used."))
        return user

    def get_authenticate_header(self, request):
        return "Bearer"


class Me(APIView):
    """The person this token belongs to."""

    def get_permissions(self):
        return [IsAuthenticated() if self.request.method in SAFE_METHODS else OwnAccount()]

    @extend_schema(responses=answers(Person))
    def get(self, request):
        return Response(Person(request.user).data)

    @extend_schema(request=Person, responses=answers(Person))
    def patch(self, request):
        form = Person(request.user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data)

    @extend_schema(request=Password, responses=answers(code=204))
    def delete(self, request):
        """Delete one's account. What one made for a course stays, without a name."""
        password = checked(Password, request).get("password", "")
        if request.auth is None and not door().reauthenticate(request.user, password):
            raise serializers.ValidationError({"password": [_("The password is wrong.")]})
        request.user.forget(by=request.user)
        return Response(status=204)


class Tokens(APIView):
    permission_classes = (OwnAccount,)

    @extend_schema(responses=answers(TokenRow(many=True)))
    def get(self, request):
        """Own tokens, newest first."""
        return Response(TokenRow(tokens_of(request.user), many=True).data)

    @extend_schema(request=NewToken, responses=answers(MadeToken, 201))
    def post(self, request):
        """Make a token."""
        return made(request.user, dict(checked(NewToken, request)))


class Token(APIView):
    permission_classes = (OwnAccount,)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Revoke a token at once."""
        revoke_token(request.user, pk)
        return Response(status=204)


class Sessions(APIView):
    permission_classes = (OwnAccount,)

    @extend_schema(responses=answers(SessionRow(many=True)))
    def get(self, request):
        """Where one is signed in, last used first."""
        current = request.session.session_key if request.auth is None else None
        return Response(SessionRow(sessions_of(request.user, current), many=True).data)


class Session(APIView):
    permission_classes = (OwnAccount,)

    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """End a session at once."""
        end_session(request.user, pk)
        return Response(status=204)
