"""Programs of a course: a role, tokens limited to the course, no password."""

import pytest

from accounts.models import AuditEntry, Token
from courses.models import Service
from tests import factories
from tests.doors import api, pages


def with_token(secret):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def program(course, owner):
    return course.add_service("Timetable sync", "editor", by=owner)


def test_an_owner_adds_a_program_and_its_token_works_on_this_course_only(full_course, owner):
    other = factories.make_course(owner=owner)
    browser = pages(owner)
    browser.post(f"/courses/{full_course.pk}/services/", {"name": "Sync", "role": "student"})
    program = Service.objects.get()
    page = browser.post(f"/services/{program.pk}/token/", {"scopes": ["read"], "days": 5}).content.decode()
    secret = page.split('id="secret">')[1].split("<")[0]
    client = with_token(secret)
    assert [row["id"] for row in client.get("/api/courses/").json()["results"]] == [full_course.pk]
    assert client.get(f"/api/courses/{other.pk}/").status_code == 404
    assert secret not in browser.get(f"/courses/{full_course.pk}/services/").content.decode()


def test_a_program_may_do_what_scope_and_role_both_allow(full_course, program, owner):
    secret = (
        api(owner)
        .post(f"/api/services/{program.pk}/tokens/", {"scopes": ["read", "train"]}, format="json")
        .json()["token"]
    )
    client = with_token(secret)
    assert client.get(f"/api/courses/{full_course.pk}/").json()["rights"] == ["read", "see", "train"]
    assert client.patch(f"/api/courses/{full_course.pk}/", {"title": "x"}, format="json").status_code == 403
    full_course.set_role(program, "student", by=owner)
    assert client.get(f"/api/courses/{full_course.pk}/").json()["rights"] == ["see"]


def test_a_program_cannot_sign_in_or_start_a_course(program, owner, course):
    answer = api().post("/api/sign-in/", {"email": program.email, "password": "!"}, format="json")
    assert answer.status_code in (400, 401)
    secret = (
        api(owner)
        .post(f"/api/services/{program.pk}/tokens/", {"scopes": ["manage"]}, format="json")
        .json()["token"]
    )
    assert with_token(secret).post("/api/courses/", {"title": "x", "language": "en"}).status_code == 403


def test_a_revoked_token_and_a_retired_program_are_out_at_once(course, program, owner):
    client, made = api(owner), []
    for _turn in range(2):
        address = f"/api/services/{program.pk}/tokens/"
        made.append(client.post(address, {"scopes": ["read"]}, format="json").json()["token"])
    row = Token.objects.get(token_key=made[0][:15])
    assert client.delete(f"/api/services/{program.pk}/tokens/{row.pk}/").status_code == 204
    assert with_token(made[0]).get("/api/me/").status_code == 401
    assert with_token(made[1]).get("/api/me/").status_code == 200
    assert client.delete(f"/api/services/{program.pk}/").status_code == 204
    assert with_token(made[1]).get("/api/me/").status_code == 401
    assert not course.memberships.filter(user=program).exists()
    assert client.get(f"/api/courses/{course.pk}/services/").json() == []


def test_a_token_of_another_person_is_not_a_programs(course, program, owner):
    own = Token.objects.create(user=owner, expiry=None, scopes=["read"])[0]
    assert api(owner).delete(f"/api/services/{program.pk}/tokens/{own.pk}/").status_code == 404
    assert pages(owner).post(f"/services/{program.pk}/tokens/{own.pk}/revoke/").status_code == 404
    assert Token.objects.filter(pk=own.pk).exists()


@pytest.mark.parametrize(
    "body",
    [
        {"role": "student"},
        {"name": "Sync", "role": "owner"},
        {"name": "", "role": "student"},
        {"name": "x" * 200, "role": "student"},
    ],
)
def test_a_bad_program_is_refused(course, owner, body):
    assert api(owner).post(f"/api/courses/{course.pk}/services/", body, format="json").status_code == 400
    assert "errorlist" in pages(owner).post(f"/courses/{course.pk}/services/", body).content.decode()
    assert not Service.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scopes": []},
        {"scopes": ["god"]},
        {"scopes": ["read"], "days": 0},
        {"scopes": ["read"], "days": 10**9},
    ],
)
def test_a_bad_token_is_refused(course, owner, program, body):
    assert api(owner).post(f"/api/services/{program.pk}/tokens/", body, format="json").status_code == 400
    assert pages(owner).post(f"/services/{program.pk}/token/", body).status_code == 302
    assert not program.auth_token_set.exists()


def test_a_limited_token_makes_no_wider_one(course, program, owner):
    manager = (
        api(owner)
        .post(f"/api/services/{program.pk}/tokens/", {"scopes": ["manage"]}, format="json")
        .json()["token"]
    )
    course.memberships.filter(user=program).delete()
    limited = api()
    row, secret = Token.objects.create(user=owner, expiry=None, scopes=["manage", "read"])
    limited.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    address = f"/api/services/{program.pk}/tokens/"
    assert limited.post(address, {"scopes": ["train"]}, format="json").status_code == 403
    assert limited.post(address, {"scopes": ["read"]}, format="json").status_code == 201
    assert with_token(manager).post(address, {"scopes": ["read"]}, format="json").status_code == 404
    assert row.pk


def test_a_person_is_no_program_whatever_the_address_says(course, owner, student):
    assert api(owner).delete(f"/api/services/{student.pk}/").status_code == 404
    assert pages(owner).post(f"/services/{owner.pk}/remove/").status_code == 404
    assert Service.objects.count() == 0


def test_what_is_done_with_a_program_is_in_the_trail(course, program, owner):
    api(owner).post(f"/api/services/{program.pk}/tokens/", {"scopes": ["read"]}, format="json")
    program.retire(by=owner)
    done = AuditEntry.objects.filter(course_id=course.pk).values_list("action", flat=True)
    assert {"service.make", "token.make", "service.retire", "member.remove"} <= set(done)
