"""What every endpoint shares: pages of rows, and one place where a bad request becomes an answer."""

import pytest

from tests import factories
from tests.doors import api


@pytest.fixture
def courses(owner):
    for number in range(7):
        factories.make_course(owner=owner, title=f"Course {number}")
    return api(owner)


def test_a_list_comes_in_pages(courses):
    page = courses.get("/api/courses/?page_size=3").json()
    assert page["count"] == 7
    assert [row["title"] for row in page["results"]] == ["Course 0", "Course 1", "Course 2"]
    assert page["previous"] is None
    last = courses.get(courses.get(page["next"]).json()["next"]).json()
    assert [row["title"] for row in last["results"]] == ["Course 6"]
    assert last["next"] is None


@pytest.mark.parametrize("size", ["0", "-1", "abc", "", "1e9", "٣ ٣"])
def test_a_page_size_that_is_none_is_the_usual_one(courses, size):
    answer = courses.get("/api/courses/", {"page_size": size})
    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 7


def test_a_page_has_five_hundred_rows_at_most(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    lines = "".join(
        f'{{"messages": [{{"role": "user", "content": "{n}"}}, {{"role": "assistant", "content": "a"}}]}}\n'
        for n in range(510)
    )
    dataset.take_in("many.jsonl", lines.encode())
    page = api(owner).get(f"/api/datasets/{dataset.pk}/examples/?page_size=1000000000").json()
    assert page["count"] == 510
    assert len(page["results"]) == 500


@pytest.mark.parametrize("page", ["0", "-1", "99", "abc", "9" * 40])
def test_a_page_that_is_not_there_is_404(courses, page):
    assert courses.get("/api/courses/", {"page": page}).status_code == 404


def test_ordering_and_filters_of_the_callers_own_are_ignored(courses):
    usual = courses.get("/api/courses/").content
    for query in (
        "ordering=memberships__user__password",
        "memberships__user__password__startswith=a",
        "owner=1",
    ):
        assert courses.get(f"/api/courses/?{query}").content == usual


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b"{'title': 'x'}", b'{"title": NaN}',
        b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"title": "a\\u0000b"}', b'{"title": ""}', b'{"title": null}', b'{"title": ["x"]}',
        b'{"title": "' + b"x" * 201 + b'"}', b'{"title": "x", "language": "tlh"}',
        b'{"title": "x", "description": "' + b"x" * 5001 + b'"}',
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)  # fmt: skip
def test_a_bad_body_is_400_and_changes_nothing(courses, body):
    answer = courses.post("/api/courses/", body, content_type="application/json")
    assert answer.status_code == 400
    assert courses.get("/api/courses/").json()["count"] == 7


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("address", ["/api/courses/", "/api/sign-in/", "/api/v1/chat/completions"])
def test_a_body_without_end_is_400_and_not_taken_into_memory(courses, settings, kind, address):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = {"application/json": b'{"title": "%s"}', "application/x-www-form-urlencoded": b"title=%s"}[kind]
    answer = courses.post(address, body % (b"x" * 2000), content_type=kind)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert "The body is too long." in answer.content.decode()
    answer = courses.post(address, body % (b"x" * 100), content_type=kind)
    assert "too long." not in answer.content.decode()


def test_a_body_without_bottom_is_400_at_every_address(courses):
    body = b'{"messages": ' + b"[" * 100_000
    for address in ("/api/courses/", "/api/sign-in/", "/api/v1/chat/completions"):
        assert courses.post(address, body, content_type="application/json").status_code == 400


def test_a_lone_surrogate_is_400(courses):
    answer = courses.post("/api/courses/", b'{"title": "\\ud800"}', content_type="application/json")
    assert answer.status_code == 400


def test_another_content_type_is_refused(courses):
    assert courses.post("/api/courses/", b"<title/>", content_type="text/xml").status_code == 415


def test_a_method_that_is_not_there_is_405(courses):
    assert courses.put("/api/courses/").status_code == 405
    assert courses.post("/api/courses/", {}, HTTP_X_HTTP_METHOD_OVERRIDE="DELETE").status_code == 400


def test_a_refusal_says_what_is_wrong_and_what_to_do(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    answer = api(owner).post(f"/api/datasets/{dataset.pk}/build/")
    assert answer.status_code == 400
    assert "choose a course that holds text" in answer.json()["detail"]


def test_an_illegal_move_is_409(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    example = factories.make_example(dataset=dataset, state="approved")
    answer = api(owner).post(f"/api/examples/{example.pk}/approve/")
    assert answer.status_code == 409
    assert "approved" in answer.json()["detail"]


def test_the_api_speaks_to_json_only(courses):
    answer = courses.get("/api/courses/", HTTP_ACCEPT="text/html")
    assert answer.status_code in (200, 406)
    assert answer["Content-Type"] == "application/json"
