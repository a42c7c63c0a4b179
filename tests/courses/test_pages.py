"""The pages of a course: its list, texts, members."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from courses.models import Course, Text
from tests import factories
from tests.doors import pages

EVIL = "<script>alert(1)</script>"


def shown(person, address):
    answer = pages(person).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


PAGES = [
    # method, address, who may
    ("get", "/courses/{course}/texts/", "ores"),
    ("get", "/texts/{text}/", "ores"),
    ("get", "/courses/{course}/members/", "ores"),
    ("post", "/courses/{course}/texts/upload/", "oe"),
    ("post", "/courses/{course}/members/", "o"),
    ("post", "/texts/{text}/remove/", "oe"),
    ("post", "/members/{member}/remove/", "o"),
]


@pytest.mark.parametrize(("method", "address", "may"), PAGES)
def test_who_may_what(full_course, owner, editor, reviewer, student, stranger, method, address, may):
    text, member = Text.objects.of(full_course).first(), full_course.memberships.get(user=reviewer)
    address = address.format(course=full_course.pk, text=text.pk, member=member.pk)
    people = {"s": student, "r": reviewer, "e": editor, "o": owner}
    told = {letter: getattr(pages(person), method)(address).status_code for letter, person in people.items()}
    assert {letter for letter, status in told.items() if status == 403} == set(people) - set(may)
    assert all(status in (200, 302, 403) for status in told.values())
    assert getattr(pages(stranger), method)(address).status_code == 404
    guest = getattr(pages(), method)(address)
    assert (guest.status_code, guest["Location"]) == (302, f"/sign-in/?next={address}")


@pytest.mark.parametrize("address", ["/courses/{}/texts/upload/", "/texts/{}/remove/", "/members/{}/remove/"])
def test_what_changes_something_is_no_link(full_course, owner, address):
    assert pages(owner).get(address.format(full_course.pk)).status_code == 405


def test_the_list_shows_own_courses_and_what_to_do_where_there_is_none(course, owner, stranger, reviewer):
    assert "The lighthouse" in shown(owner, "/")
    assert "Another course" not in shown(owner, "/") and "The lighthouse" not in shown(stranger, "/")
    assert "Begin one" in shown(factories.make_user(is_instructor=True), "/")
    assert "Ask the owner" in shown(factories.make_user(), "/")


def test_an_instructor_starts_a_course_and_comes_to_its_texts(owner, student):
    answer = pages(owner).post("/courses/new/", {"title": "Bells", "language": "ru"})
    course = Course.objects.get()
    assert answer["Location"] == f"/courses/{course.pk}/texts/"
    assert course.memberships.get().user == owner
    assert "No text yet" in shown(owner, answer["Location"])
    assert pages(student).get("/courses/new/").status_code == 403
    assert pages(student).post("/courses/new/", {"title": "x", "language": "en"}).status_code == 403


def test_a_bad_course_is_shown_again_with_what_is_wrong(owner):
    page = pages(owner).post("/courses/new/", {"title": "", "language": "tlh"}).content.decode()
    assert "This field is required." in page and "Select a valid choice" in page
    assert not Course.objects.exists()


def test_a_course_opens_at_what_one_may_do_there(course, owner, student):
    assert pages(owner).get(f"/courses/{course.pk}/")["Location"] == f"/courses/{course.pk}/texts/"
    assert pages(student).get(f"/courses/{course.pk}/")["Location"] == f"/courses/{course.pk}/assistants/"


def test_several_files_are_uploaded_and_each_bad_one_is_named(course, editor):
    files = [
        SimpleUploadedFile("lamp.md", b"# Lamp\n\nIt burns oil.\n"),
        SimpleUploadedFile("bad.pdf", b"%PDF"),
        SimpleUploadedFile("empty.txt", b""),
    ]
    answer = pages(editor).post(f"/courses/{course.pk}/texts/upload/", {"files": files}, follow=True)
    page = answer.content.decode()
    assert "1 text is read." in page
    assert "bad.pdf: only .md and .txt files can be read" in page
    assert "empty.txt is empty." in page
    assert [text.source_name for text in Text.objects.of(course)] == ["lamp.md"]


def test_an_upload_of_nothing_says_what_to_choose(course, editor):
    page = pages(editor).post(f"/courses/{course.pk}/texts/upload/", {}, follow=True).content.decode()
    assert "Choose one or more .md or .txt files." in page


def test_a_text_is_shown_passage_by_passage_with_an_anchor_for_each(full_course, student):
    text = Text.objects.of(full_course).get(source_name="lamp.md")
    page = shown(student, f"/texts/{text.pk}/")
    for passage in text.passages.all():
        assert f'id="p{passage.pk}"' in page
    assert "Trimming the wicks" in page


def test_hostile_words_of_a_text_are_only_words(course, owner):
    course.title = EVIL
    course.save()
    text = factories.make_text(
        course=course, name=f"{EVIL}.md", content=f"# {EVIL}\n\n{EVIL} [x](javascript:alert(1))\n"
    )
    for address in (
        f"/courses/{course.pk}/texts/",
        f"/texts/{text.pk}/",
        "/",
        f"/courses/{course.pk}/members/",
    ):
        page = shown(owner, address)
        assert EVIL not in page and "&lt;script&gt;" in page
        assert 'href="javascript' not in page


def test_a_removed_text_leaves_the_page(full_course, owner):
    text = Text.objects.of(full_course).get(source_name="lamp.md")
    page = pages(owner).post(f"/texts/{text.pk}/remove/", follow=True).content.decode()
    assert "is removed" in page
    assert f"/texts/{text.pk}/" not in shown(owner, f"/courses/{full_course.pk}/texts/")
    assert "replaced" in shown(owner, f"/texts/{text.pk}/")


def test_only_who_may_sees_the_buttons(full_course, editor, student):
    upload, remove = "texts/upload/", "/remove/"
    assert upload in shown(editor, f"/courses/{full_course.pk}/texts/")
    page = shown(student, f"/courses/{full_course.pk}/texts/")
    assert upload not in page and remove not in page
    assert remove not in shown(editor, f"/courses/{full_course.pk}/members/")


def test_an_owner_gives_a_role_and_takes_it_away(course, owner, stranger):
    address = f"/courses/{course.pk}/members/"
    page = (
        pages(owner)
        .post(address, {"email": "Stranger@Example.org", "role": "reviewer"}, follow=True)
        .content.decode()
    )
    assert "stranger@example.org" in page
    member = course.memberships.get(user=stranger)
    assert member.role == "reviewer"
    pages(owner).post(f"/members/{member.pk}/remove/")
    assert not course.memberships.filter(user=stranger).exists()


@pytest.mark.parametrize(
    "fields",
    [{"email": "nobody@example.org", "role": "god"}, {"email": "x", "role": "student"}, {"email": ""}],
)
def test_a_bad_member_is_shown_beside_the_field(course, owner, fields):
    page = pages(owner).post(f"/courses/{course.pk}/members/", fields).content.decode()
    assert 'class="errorlist"' in page
    assert course.memberships.count() == 4


def test_the_last_owner_cannot_be_removed_on_the_page_either(course, owner):
    member = course.memberships.get(user=owner)
    answer = pages(owner).post(f"/members/{member.pk}/remove/")
    assert answer.status_code == 400
    assert "needs an owner" in answer.content.decode()


def test_a_form_without_its_csrf_token_is_refused(course, owner):
    browser = pages(owner)
    browser.handler.enforce_csrf_checks = True
    assert browser.post(f"/courses/{course.pk}/members/", {}).status_code == 403


@pytest.mark.parametrize("address", ["/", "/courses/{}/texts/", "/courses/{}/members/"])
def test_queries_do_not_grow_with_the_rows(full_course, owner, address, django_assert_max_num_queries):
    for number in range(8):
        factories.make_course(owner=owner)
        full_course.set_role(factories.make_user(), "student")
        factories.make_text(
            course=full_course, name=f"{number}.md", content=f"# Part {number}\n\nA line of it.\n"
        )
    browser = pages(owner)
    with django_assert_max_num_queries(9):
        browser.get(address.format(full_course.pk))


def test_pages_speak_the_readers_language(course, owner):
    owner.language = "ru"
    owner.save()
    assert '<html lang="ru">' in shown(owner, f"/courses/{course.pk}/texts/")
