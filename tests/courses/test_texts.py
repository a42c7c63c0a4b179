"""Texts of a course: read, cut into sections and passages, replaced, removed."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from common.states import Refused
from courses.models import Passage, Section, Text
from courses.uploading import add_texts
from tests import factories
from tests.common.crowd import at_once
from tests.doors import api, pages

LAMP = "# Lamp\n\nIt burns oil.\n\n## Wick\n\nIt is cut level.\n"


def tree(course):
    """Titles of the sections, each with its parent's."""
    return [(section.parent and section.parent.title, section.title) for section in course.sections.all()]


def test_a_text_is_cut_under_the_sections_of_its_headings(course, owner):
    text = factories.make_text(course=course, name="lamp.md", content=LAMP, by=owner)
    assert tree(course) == [(None, "Lamp"), ("Lamp", "Wick")]
    assert [(passage.section.title, passage.quote) for passage in text.passages.all()] == [
        ("Lamp", "It burns oil."), ("Wick", "It is cut level."),
    ]  # fmt: skip
    assert (text.section.title, text.kind, text.language, text.version) == ("Lamp", "markdown", "en", 1)
    assert text.tokens == sum(passage.tokens for passage in text.passages.all())


def test_a_text_without_headings_stands_under_its_file_name(course):
    text = factories.make_text(course=course, name="notes.on.oil.txt", content="It burns oil.")
    assert text.section.title == "notes.on.oil"


def test_the_same_bytes_again_change_nothing(course):
    first = factories.make_text(course=course, name="lamp.md", content=LAMP)
    again = factories.make_text(course=course, name="lamp.md", content=LAMP)
    assert again == first
    assert (Text.objects.count(), Passage.objects.count(), Section.objects.count()) == (1, 2, 2)


def test_other_line_ends_are_no_change(course):
    first = factories.make_text(course=course, name="lamp.md", content=LAMP)
    assert factories.make_text(course=course, name="lamp.md", content=LAMP.replace("\n", "\r\n")) == first


def test_a_changed_file_replaces_its_old_text_and_keeps_it_for_citations(course):
    old = factories.make_text(course=course, name="lamp.md", content=LAMP)
    new = factories.make_text(course=course, name="lamp.md", content=LAMP.replace("oil", "gas"))
    old.refresh_from_db()
    assert (old.state, new.state, new.version) == ("replaced", "current", 2)
    assert list(Text.objects.current().of(course)) == [new]
    assert old.passages.first().quote == "It burns oil."


def test_headings_that_stood_there_before_are_taken_up_again(course):
    factories.make_text(course=course, name="lamp.md", content=LAMP)
    before = set(course.sections.values_list("pk", flat=True))
    factories.make_text(course=course, name="lamp.md", content=LAMP + "\n## Chimney\n\nOf glass.\n")
    assert tree(course) == [(None, "Lamp"), ("Lamp", "Wick"), ("Lamp", "Chimney")]
    assert before < set(course.sections.values_list("pk", flat=True))


def test_the_same_heading_twice_in_a_file_is_two_sections(course):
    text = factories.make_text(course=course, content="# Day\n\nFirst.\n\n# Day\n\nSecond.\n")
    one, two = (passage.section for passage in text.passages.all())
    assert one != two and one.title == two.title == "Day"


def test_the_same_heading_under_different_ones_is_two_sections(course):
    factories.make_text(
        course=course, content="# A\n\nx.\n\n## Use\n\nFirst.\n\n# B\n\ny.\n\n## Use\n\nSecond.\n"
    )
    assert tree(course) == [(None, "A"), ("A", "Use"), (None, "B"), ("B", "Use")]


def test_a_deeper_heading_without_its_upper_one_still_has_a_place(course):
    factories.make_text(course=course, content="### Deep\n\nx.\n\n# Top\n\ny.\n\n### Under\n\nz.\n")
    assert tree(course) == [(None, "Deep"), (None, "Top"), ("Top", "Under")]


def test_a_removed_text_leaves_the_list_and_the_build_but_not_its_citations(dataset, owner):
    text = Text.objects.current().of(dataset.course).first()
    cited = dataset.examples.filter(citations__passage__text=text)
    assert cited.exists()
    text.remove(by=owner)
    assert text not in Text.objects.current().of(dataset.course)
    assert not cited.first().citations.get().is_current
    assert dataset.build(by=owner).made == 0


def test_a_removed_text_may_come_back(course):
    factories.make_text(course=course, name="lamp.md", content=LAMP).remove()
    assert not course.holds_text
    factories.make_text(course=course, name="lamp.md", content=LAMP)
    assert course.holds_text
    assert tree(course) == [(None, "Lamp"), ("Lamp", "Wick")]


def test_files_of_other_courses_with_the_same_name_stay(course, owner):
    other = factories.make_course(owner=owner)
    kept = factories.make_text(course=other, name="lamp.md", content=LAMP)
    factories.make_text(course=course, name="lamp.md", content=LAMP.replace("oil", "gas"))
    kept.refresh_from_db()
    assert kept.state == "current"


def test_a_refused_file_leaves_nothing_behind(course):
    with pytest.raises(Refused):
        course.add_text("lamp.md", b"\x00\x01")
    assert not course.sections.exists()


@given(
    text=some.lists(
        some.sampled_from(["# A", "## B", "word", "", "```", "- x", "слово 🙂", "\u2028"]), min_size=1
    ).map("\n".join)
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_passages_quote_the_text_as_it_is_kept(course, text):
    row = factories.make_text(course=course, content=f"a\n{text}")
    for passage in row.passages.select_related("section"):
        assert passage.quote == row.content[passage.start : passage.end] != ""
        assert passage.section.course_id == course.pk


@pytest.mark.django_db(transaction=True)
def test_the_same_file_four_times_at_once_is_one_text():
    course = factories.make_course()
    texts = at_once(4, lambda: type(course).objects.get(pk=course.pk).add_text("lamp.md", LAMP.encode()))
    assert len({text.pk for text in texts}) == 1
    assert (Text.objects.count(), Section.objects.count()) == (1, 2)


def test_a_book_of_many_headings_is_cut_in_a_few_seconds(course):
    book = "".join(f"# Chapter {n}\n\nA line.\n\n## Rest\n\nAnother.\n\n" for n in range(300))
    begun = time.process_time()
    factories.make_text(course=course, content=book)
    assert time.process_time() - begun < 5
    assert course.sections.count() == 600


class File:
    """As a browser sends it."""

    def __init__(self, name, data, size=None):
        self.name, self.data, self.size = name, data, len(data) if size is None else size
        self.was_read = False

    def read(self):
        self.was_read = True
        return self.data


def test_of_several_files_the_good_ones_are_read_and_the_others_named(course, owner):
    files = [
        File("lamp.md", LAMP.encode()),
        File("lens.pdf", b"%PDF"),
        File("empty.txt", b""),
        File("log.txt", b"Ink."),
    ]
    done = add_texts(course, files, by=owner)
    assert [text.source_name for text in done.texts] == ["lamp.md", "log.txt"]
    assert [problem.split(":")[0].split(" ")[0] for problem in done.problems] == ["lens.pdf", "empty.txt"]


def test_a_file_that_is_too_long_or_of_another_kind_is_not_even_read(course):
    files = [File("lamp.md", b"", size=50 * 1024**2), File("lens.zip", b"PK")]
    assert len(add_texts(course, files).problems) == 2
    assert not any(file.was_read for file in files)


def test_a_file_longer_than_it_says_is_refused_all_the_same(course):
    file = File("lamp.md", b"lamp " * 3 * 1024**2, size=5)
    assert "over the limit" in add_texts(course, [file]).problems[0]


ANNA = "# Who\n\nAsk Anna Smith.\n\n## Where\n\nWrite to anna@example.org.\n"


def test_a_text_keeps_the_personal_data_in_it_with_offsets_of_the_text(course):
    text = factories.make_text(course=course, content=ANNA)
    assert Text.objects.get(pk=text.pk).personal == [
        {"kind": "name", "text": "Anna Smith", "start": 11, "end": 21},
        {
            "kind": "email",
            "text": "anna@example.org",
            "start": ANNA.index("anna@"),
            "end": ANNA.index(".\n", 40),
        },
    ]
    again = factories.make_text(course=course, content=ANNA.replace("Anna Smith", "the keeper"))
    assert [each["kind"] for each in again.personal] == ["email"]


def test_a_russian_course_has_its_phones_and_names_found(owner):
    course = factories.make_course(owner=owner, language="ru")
    text = factories.make_text(course=course, content="# Кто\n\nПишите Анне Петровой, 8 (916) 123-45-67.\n")
    assert [each["kind"] for each in text.personal] == ["name", "phone"]


def test_passages_are_cut_at_what_is_marked_in_them(course):
    text = factories.make_text(course=course, content=ANNA)
    marked = [[piece for piece, kind in passage.pieces if kind] for passage in text.passages.all()]
    assert marked == [["Anna Smith"], ["anna@example.org"]]
    assert all("".join(p for p, _k in passage.pieces) == passage.quote for passage in text.passages.all())


@pytest.mark.parametrize(("who", "sees"), [("owner", True), ("reviewer", True), ("student", False)])
def test_the_pages_mark_it_for_those_who_work_on_the_course(request, course, who, sees):
    text = factories.make_text(course=course, content=ANNA)
    browser = pages(request.getfixturevalue(who))
    assert ("personal data: 2" in browser.get(f"/courses/{course.pk}/texts/").content.decode()) is sees
    page = browser.get(f"/texts/{text.pk}/").content.decode()
    assert ("<mark" in page) is sees and "Anna Smith" in page


def test_the_api_tells_it(course, owner):
    text = factories.make_text(course=course, content=ANNA)
    assert [each["text"] for each in api(owner).get(f"/api/texts/{text.pk}/").json()["personal"]] == [
        "Anna Smith", "anna@example.org",
    ]  # fmt: skip
