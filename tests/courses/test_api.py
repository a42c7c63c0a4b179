"""Courses, members, texts and passages through the API."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry
from courses.models import Course, Text
from tests import factories
from tests.doors import api

LAMP = "# Lamp\n\nIt burns oil.\n"


def file(name="lamp.md", data=LAMP):
    return SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data)


def upload(person, course, *files):
    return api(person).post(f"/api/courses/{course.pk}/texts/", {"files": files}, format="multipart")


def test_the_way_from_a_new_course_to_its_passages(owner, student):
    client = api(owner)
    course = client.post(
        "/api/courses/", {"title": "Bells", "language": "ru", "description": "Of bronze."}
    ).json()
    assert (course["title"], course["language"]) == ("Bells", "ru")
    member = client.post(
        f"/api/courses/{course['id']}/members/", {"email": "STUDENT@example.org", "role": "student"}
    )
    assert (member.status_code, member.json()["role"]) == (201, "student")
    done = client.post(f"/api/courses/{course['id']}/texts/", {"files": [file()]}, format="multipart")
    assert (done.status_code, done.json()["problems"]) == (201, [])
    (text,) = api(student).get(f"/api/courses/{course['id']}/texts/").json()["results"]
    assert (text["source_name"], text["section"], text["version"]) == ("lamp.md", "Lamp", 1)
    assert api(student).get(f"/api/texts/{text['id']}/").json() == text
    (passage,) = api(student).get(f"/api/texts/{text['id']}/passages/").json()["results"]
    assert (passage["quote"], passage["start"], passage["end"]) == ("It burns oil.", 8, 21)
    assert client.get(f"/api/courses/{course['id']}/").json()["rights"] == sorted(
        ["see", "chat", "read", "review", "edit", "freeze", "train", "publish", "approve", "manage"]
    )
    assert api(student).get(f"/api/courses/{course['id']}/").json()["rights"] == ["chat", "see"]


def test_only_instructors_and_staff_start_courses(editor, staff):
    assert api(editor).post("/api/courses/", {"title": "x"}).status_code == 403
    assert api(staff).post("/api/courses/", {"title": "x"}).status_code == 201


def test_a_person_sees_their_own_courses_only(course, owner, stranger, staff):
    def titles(person):
        return [row["title"] for row in api(person).get("/api/courses/").json()["results"]]

    assert titles(owner) == ["The lighthouse"]
    assert titles(stranger) == ["Another course"]
    assert titles(staff) == ["Another course", "The lighthouse"]


REQUESTS = [
    # method, address, what it takes
    ("get", "/api/courses/{course}/", "see"),
    ("patch", "/api/courses/{course}/", "edit"),
    ("get", "/api/courses/{course}/members/", "see"),
    ("post", "/api/courses/{course}/members/", "manage"),
    ("delete", "/api/members/{member}/", "manage"),
    ("get", "/api/courses/{course}/texts/", "see"),
    ("post", "/api/courses/{course}/texts/", "edit"),
    ("get", "/api/texts/{text}/", "see"),
    ("delete", "/api/texts/{text}/", "edit"),
    ("get", "/api/texts/{text}/passages/", "see"),
]
MAY = {"see": "ores", "edit": "oe", "manage": "o"}


@pytest.mark.parametrize(("method", "address", "right"), REQUESTS)
def test_who_may_what(
    full_course, owner, editor, reviewer, student, stranger, inactive, method, address, right
):
    keys = {
        "course": full_course.pk,
        "member": full_course.memberships.get(user=student).pk,
        "text": Text.objects.current().of(full_course).first().pk,
    }
    address = address.format(**keys)
    people = {"s": student, "r": reviewer, "e": editor, "o": owner}
    told = {letter: getattr(api(person), method)(address).status_code for letter, person in people.items()}
    refused = {letter for letter, status in told.items() if status == 403}
    assert refused == set(people) - set(MAY[right])
    assert getattr(api(stranger), method)(address).status_code == 404
    assert getattr(api(inactive), method)(address).status_code == 401
    assert getattr(api(), method)(address).status_code == 401


@pytest.mark.parametrize(
    "address", ["courses/{}/", "courses/{}/members/", "courses/{}/texts/", "texts/{}/", "texts/{}/passages/"]
)
def test_what_is_not_there_is_404(owner, address):
    for key in ("0", "999999999", "9" * 30, "x", "-1", "1.5"):
        assert api(owner).get("/api/" + address.format(key)).status_code == 404


def test_what_a_caller_may_not_set_is_ignored(owner, stranger):
    body = {
        "title": "Mine",
        "id": 7777,
        "owner": stranger.pk,
        "memberships": [],
        "created": "2001-01-01T00:00:00Z",
    }
    course = Course.objects.get(pk=api(owner).post("/api/courses/", body, format="json").json()["id"])
    assert course.pk != 7777 and course.created.year != 2001
    assert [member.user for member in course.memberships.all()] == [owner]
    api(owner).patch(f"/api/courses/{course.pk}/", {**body, "title": "Ours"}, format="json")
    course.refresh_from_db()
    assert course.title == "Ours" and course.created.year != 2001


def test_a_bad_change_is_400_and_names_its_field(course, owner):
    answer = api(owner).patch(f"/api/courses/{course.pk}/", {"title": "", "language": "tlh"}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"title", "language"}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"email": "student@example.org"}, {"email": "nobody@example.org", "role": "student"},
        {"email": "student@example.org", "role": "god"}, {"email": "no address", "role": "student"},
        {"email": "inactive@example.org", "role": "student"}, {"email": None, "role": None},
    ],
)  # fmt: skip
def test_a_bad_member_is_400(course, owner, inactive, body):
    answer = api(owner).post(f"/api/courses/{course.pk}/members/", body, format="json")
    assert answer.status_code == 400
    assert course.memberships.count() == 4


def test_the_last_owner_stays(course, owner):
    member = course.memberships.get(user=owner)
    answer = api(owner).delete(f"/api/members/{member.pk}/")
    assert answer.status_code == 400
    assert "needs an owner" in answer.json()["detail"]
    answer = api(owner).post(f"/api/courses/{course.pk}/members/", {"email": owner.email, "role": "student"})
    assert answer.status_code == 400


def test_a_removed_member_has_nothing_more_with_the_token_they_hold(course, owner, student):
    client = api(student)
    assert client.get(f"/api/courses/{course.pk}/").status_code == 200
    assert api(owner).delete(f"/api/members/{course.memberships.get(user=student).pk}/").status_code == 204
    assert client.get(f"/api/courses/{course.pk}/").status_code == 404


def test_of_several_files_the_good_ones_are_read_and_the_others_named(course, editor):
    answer = upload(
        editor, course, file(), file("bad.pdf", b"%PDF"), file("empty.txt", b""), file("log.txt", "Ink.")
    )
    assert answer.status_code == 201
    assert [text["source_name"] for text in answer.json()["texts"]] == ["lamp.md", "log.txt"]
    assert [problem.split(" ")[0].strip(":") for problem in answer.json()["problems"]] == [
        "bad.pdf",
        "empty.txt",
    ]


def test_bad_files_only_are_400_with_every_reason(course, editor):
    answer = upload(editor, course, file("bad.pdf", b"%PDF"), file("empty.txt", b""))
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 2
    assert answer.json()["detail"] == answer.json()["problems"][0]
    assert not Text.objects.exists()


def test_no_file_at_all_is_400(course, editor):
    assert upload(editor, course).status_code == 400
    assert (
        api(editor)
        .post(f"/api/courses/{course.pk}/texts/", {"files": "a text"}, format="multipart")
        .status_code
        == 400
    )
    assert (
        api(editor).post(f"/api/courses/{course.pk}/texts/", {"files": []}, format="json").status_code == 415
    )


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.md",
        "/etc/passwd.md",
        "C:\\boot.md",
        "a\x00b.md",
        "<img src=x>.md",
        "a\r\nb.md",
        "x" * 300 + ".md",
        "=cmd.md",
    ],
)
def test_a_hostile_file_name_is_only_a_name(course, editor, name):
    answer = upload(editor, course, file(name))
    assert answer.status_code in (201, 400)
    for text in Text.objects.all():
        assert not set(text.source_name) & set("/\\\x00\r\n")
        assert len(text.source_name) <= 255


def test_the_same_file_again_is_the_same_text(course, editor):
    first, again = upload(editor, course, file()).json(), upload(editor, course, file()).json()
    assert first == again
    changed = upload(editor, course, file(data=LAMP + "More.\n")).json()["texts"][0]
    assert changed["version"] == 2 and changed["id"] != first["texts"][0]["id"]


def test_a_removed_text_leaves_the_list_and_stays_readable_for_its_citations(full_course, owner):
    text = Text.objects.current().of(full_course).first()
    assert api(owner).delete(f"/api/texts/{text.pk}/").status_code == 204
    assert api(owner).get(f"/api/courses/{full_course.pk}/texts/").json()["count"] == 4
    assert api(owner).get(f"/api/texts/{text.pk}/").status_code == 200
    assert AuditEntry.objects.filter(action="text.remove", actor=owner).count() == 1


@pytest.mark.parametrize("address", ["/api/courses/", "/api/courses/{}/texts/", "/api/courses/{}/members/"])
def test_queries_do_not_grow_with_the_rows(full_course, owner, address, django_assert_max_num_queries):
    for _turn in range(5):
        factories.make_course(owner=owner)
    client = api(owner)
    with django_assert_max_num_queries(7):
        assert client.get(address.format(full_course.pk)).status_code == 200


def test_passages_are_quoted_without_reading_the_text_for_each(course, owner, django_assert_max_num_queries):
    text = factories.make_text(
        course=course, content="".join(f"# Part {n}\n\nA line of its own.\n\n" for n in range(60))
    )
    client = api(owner)
    with django_assert_max_num_queries(7) as queries:
        assert len(client.get(f"/api/texts/{text.pk}/passages/").json()["results"]) == 50
    reading = [
        query["sql"] for query in queries.captured_queries if '"courses_text"."content"' in query["sql"]
    ]
    assert len(reading) == 1 and "courses_passage" not in reading[0].split("WHERE")[0]
