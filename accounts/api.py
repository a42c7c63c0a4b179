from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.tokens import make_token, revoke_token, tokens_of
from common.api import answers


class Credentials(serializers.Serializer):
    email = serializers.EmailField()
    password = serializers.CharField(write_only=True)
    days = serializers.IntegerField(min_value=1, max_value=3650, default=90)


class TokenRow(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    token_key = serializers.CharField(help_text="How the token begins.")
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField()


class NewToken(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Bearer …`. It is shown once.")
    expiry = serializers.DateTimeField()


class Person(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "email", "name", "language", "is_instructor", "is_staff"]
        read_only_fields = ["id", "email", "is_instructor", "is_staff"]


class SignIn(APIView):
    """Trade email and password for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=Credentials, responses=answers(NewToken, 201), auth=[])
    def post(self, request):
        form = Credentials(data=request.data)
        form.is_valid(raise_exception=True)
        email = User.objects.normalize_email(form.validated_data["email"])
        user = authenticate(request, username=email, password=form.validated_data["password"])
        if user is None:
            raise AuthenticationFailed(_("Email or password is wrong."))
        row, secret = make_token(user, form.validated_data["days"])
        return Response({"token": secret, "expiry": row.expiry}, status=201)

    def get_authenticate_header(self, request):
        return "Bearer"


class Me(APIView):
    """The person this token belongs to."""

    @extend_schema(responses=answers(Person))
    def get(self, request):
        return Response(Person(request.user).data)

    @extend_schema(request=Person, responses=answers(Person))
    def patch(self, request):
        form = Person(request.user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data)


class Tokens(APIView):
    @extend_schema(responses=answers(TokenRow(many=True)))
    def get(self, request):
        """Own tokens, newest first."""
        return Response(TokenRow(tokens_of(request.user), many=True).data)


class Token(APIView):
    @extend_schema(responses=answers(code=204))
    def delete(self, request, pk):
        """Revoke a token at once."""
        revoke_token(request.user, pk)
        return Response(status=204)
