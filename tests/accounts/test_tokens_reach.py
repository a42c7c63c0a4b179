"""How far a token reaches, and that no token makes itself or another wider."""

import pytest
from django.core.exceptions import PermissionDenied
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.roles import SCOPES
from accounts.tokens import make_token
from tests import factories
from tests.accounts.signing_in import PASSWORD, ask_for_token
from tests.doors import api, pages

LIMITED = [{"scopes": ["read"]}, {"scopes": sorted(set(SCOPES) - {"chat"})}, {"courses": []}]
ACCOUNT = [
    ("patch", "/api/me/"), ("delete", "/api/me/"), ("get", "/api/tokens/"), ("post", "/api/tokens/"),
    ("delete", "/api/tokens/1/"), ("get", "/api/sessions/"), ("delete", "/api/sessions/1/"),
]  # fmt: skip


def program(secret):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def limited(person, **reach):
    return program(make_token(person, days=1, **reach)[1])


@pytest.mark.parametrize("reach", LIMITED)
@pytest.mark.parametrize(("method", "path"), ACCOUNT)
def test_ones_account_is_closed_to_a_limited_token(ann, reach, method, path):
    body = {"name": "Eve", "days": 1, "password": PASSWORD}
    assert getattr(limited(ann, **reach), method)(path, body, format="json").status_code == 403
    ann.refresh_from_db()
    assert ann.is_active and ann.name == "Ann" and Token.objects.count() == 1


@pytest.mark.parametrize(("method", "path"), ACCOUNT)
def test_ones_account_is_closed_to_a_program_of_a_course(course, owner, method, path):
    service = course.add_service("LMS", "editor", by=owner)
    assert getattr(api(service), method)(path, {"days": 1}, format="json").status_code == 403


def test_a_limited_token_may_see_whose_it_is(ann):
    assert limited(ann, scopes=["chat"]).get("/api/me/").json()["email"] == ann.email


def test_a_token_for_one_course_opens_no_other(owner, course):
    other = factories.make_course(owner=owner, title="Elsewhere")
    answer = api(owner).post(
        "/api/tokens/", {"name": "one", "days": 1, "scopes": ["read"], "courses": [course.pk]}, format="json"
    )
    assert answer.status_code == 201
    client = program(answer.json()["token"])
    assert client.get(f"/api/courses/{course.pk}/").status_code == 200
    assert client.get(f"/api/courses/{other.pk}/").status_code == 404
    assert client.patch(f"/api/courses/{course.pk}/", {"title": "Mine"}, format="json").status_code in (
        403,
        405,
    )


@pytest.mark.parametrize(
    "wider", [{}, {"scopes": ["read", "train"]}, {"scopes": ["read"], "courses": "other"}]
)
def test_the_verb_itself_refuses_to_make_a_wider_token_for_a_limited_one(owner, course, wider):
    other = factories.make_course(owner=owner, title="Elsewhere")
    owner.scope = make_token(owner, days=1, scopes=["read"], courses=[course])[0].scope
    wanted = {"courses": [course], **wider}
    if wanted["courses"] == "other":
        wanted["courses"] = [other]
    with pytest.raises(PermissionDenied):
        make_token(owner, days=1, **wanted)
    with pytest.raises(PermissionDenied):
        make_token(owner, days=1, scopes=["read"])
    assert make_token(owner, days=1, scopes=["read"], courses=[course])[0].scopes == ["read"]


def test_a_token_is_never_wider_than_its_owner(course, student):
    """All scopes are no rights: a student's token may chat and see, as the student may."""
    client = api(student)
    assert client.get(f"/api/courses/{course.pk}/").status_code == 200
    assert client.get(f"/api/courses/{course.pk}/jobs/").status_code in (403, 404)
    assert client.post(f"/api/courses/{course.pk}/members/", {}, format="json").status_code == 403


def test_a_course_that_one_does_not_see_does_not_exist(owner, course, stranger):
    """The same answer for the course of another and for none at all, on each door that makes tokens."""
    for key in (course.pk, 10**6):
        answer = api(stranger).post("/api/tokens/", {"days": 1, "courses": [key]}, format="json")
        assert (answer.status_code, answer.json()["detail"]) == (400, f"courses: There is no course {key}.")
        fields = {"name": "x", "days": 1, "scopes": ["read"], "courses": [key]}
        assert 'class="errorlist' in pages(stranger).post("/tokens/", fields).content.decode()
    assert set(Token.objects.filter(user=stranger).values_list("every_course", flat=True)) == {True}
    assert "The lighthouse" not in pages(stranger).get("/tokens/").content.decode()


def test_a_course_that_one_does_not_see_does_not_exist_at_sign_in(ann, course):
    answer = ask_for_token(courses=[course.pk])
    assert answer.status_code == 400 and not Token.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"days": 0}, {"days": 366}, {"days": "soon"}, {"scopes": []}, {"scopes": ["all"]}, {"scopes": "read"},
        {"scopes": [["read"]]}, {"courses": []}, {"courses": ["x"]}, {"courses": [0]}, {"courses": [-1]},
        {"courses": [10**40]}, {"courses": {"id": 1}}, {"name": "x" * 101}, {"name": "a\x00b"}, {"days": None},
    ],
)  # fmt: skip
def test_a_bad_reach_is_400_and_makes_nothing(ann, body):
    assert api(ann).post("/api/tokens/", body, format="json").status_code == 400
    assert ask_for_token(**body).status_code == 400
    assert Token.objects.count() == 1


def test_sign_in_gives_a_token_as_narrow_as_asked(owner, course):
    owner.set_password(PASSWORD)
    owner.save()
    answer = ask_for_token(owner.email, name="phone", scopes=["chat"], courses=[course.pk])
    row = Token.objects.get(pk=answer.json()["id"])
    assert (row.name, row.scopes, row.every_course, list(row.courses.all())) == (
        "phone",
        ["chat"],
        False,
        [course],
    )


def test_the_page_makes_a_token_for_chosen_courses_and_lists_it(owner, course):
    browser = pages(owner)
    fields = {"name": "nightly", "days": "30", "scopes": ["read", "train"], "courses": [course.pk]}
    assert browser.post("/tokens/", fields).status_code == 200
    page = browser.get("/tokens/").content.decode()
    for word in ("nightly", "read, train", "The lighthouse"):
        assert word in page
    row = Token.objects.get()
    assert list(row.courses.all()) == [course] and not row.every_course


def test_the_page_without_chosen_courses_makes_one_for_all(owner, course):
    pages(owner).post("/tokens/", {"name": "all", "days": "30", "scopes": ["read"]})
    assert Token.objects.get().every_course


@pytest.mark.parametrize("more", [{"scopes": []}, {"scopes": ["root"]}, {"name": ""}, {"courses": ["x"]}])
def test_a_bad_form_makes_no_token(ann, more):
    fields = {"name": "x", "days": "30", "scopes": ["read"], **more}
    assert 'class="errorlist' in pages(ann).post("/tokens/", fields).content.decode()
    assert not Token.objects.exists()


def test_the_list_is_as_cheap_for_many_tokens(ann, course, django_assert_max_num_queries):
    for _turn in range(10):
        make_token(ann, days=1, courses=[course])
    browser = pages(ann)
    browser.get("/tokens/")
    with django_assert_max_num_queries(6):
        browser.get("/tokens/")
