"""The page of a course's costs: who sees it, what it sums, what a spreadsheet gets of it."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests import factories
from tests.costs.conftest import LAST_YEAR, spend
from tests.doors import api, pages


def where(course, name="costs/"):
    return f"/courses/{course.pk}/{name}"


def shown(reader, course, **query):
    answer = pages(reader).get(where(course), query)
    assert answer.status_code == 200
    return answer


def sums(answer):
    """What the page sums, as {key: (entries, estimated, reserved, billed)}."""
    by = answer.context["by"]
    keys = {"month": lambda each: f"{each.month:%Y-%m}", "model": lambda each: each.model.name}
    key = keys.get(by, lambda each: str(getattr(each, by)))
    return {
        key(each): (each.entries, each.estimated, each.reserved, each.billed)
        for each in answer.context["lines"]
    }


def table(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", ["costs/", "costs.csv"])
def test_who_reads_the_course_sees_its_costs(spent, owner, editor, reviewer, student, stranger, staff, name):
    for door, root in [(pages, "/courses"), (api, "/api/courses")]:
        for person in (owner, editor, reviewer, staff):
            assert door(person).get(f"{root}/{spent.pk}/{name}").status_code == 200
        assert door(student).get(f"{root}/{spent.pk}/{name}").status_code == 403
        assert door(stranger).get(f"{root}/{spent.pk}/{name}").status_code == 404
    assert pages().get(where(spent, name)).status_code == 302
    assert api().get(f"/api/courses/{spent.pk}/{name}").status_code == 401


def test_the_tab_stands_where_one_may_read(spent, reviewer, student):
    tab = f'href="{where(spent)}"'
    assert tab in pages(reviewer).get(where(spent, "members/")).content.decode()
    assert tab not in pages(student).get(where(spent, "members/")).content.decode()


def test_the_month_names_limit_reserved_billed_and_free(spent, reviewer):
    page = shown(reviewer, spent).content.decode()
    for name, sum in [("Limit", "$10"), ("Reserved", "$2"), ("Billed", "$6.5"), ("Free", "$1.5")]:
        assert f"<dt>{name}</dt><dd>{sum}</dd>" in page
    assert (
        "More than 80 % of the budget" in page
        and '<progress class="near" max="10.0000" value="8.500000"' in page
    )


def test_a_course_without_a_limit_says_so(course, owner):
    page = shown(owner, course).content.decode()
    assert "No limit is set" in page and "<progress" not in page and "Nothing was spent that fits" in page


def test_sums_by_month_person_purpose_and_model(spent, owner, editor, student, now):
    assert sums(shown(owner, spent)) == {now: (3, 8, 2, 6.5), "2025-12": (1, 4, 0, 3)}
    assert sums(shown(owner, spent, by="purpose")) == {"training": (3, 11, 2, 9), "chat": (1, 1, 0, 0.5)}
    assert sums(shown(owner, spent, by="model")) == {"large": (2, 9, 0, 9), "small": (2, 3, 2, 0.5)}
    assert sums(shown(owner, spent, by="person")) == {
        str(owner): (2, 9, 0, 9), str(editor): (1, 2, 2, 0), str(student): (1, 1, 0, 0.5),
    }  # fmt: skip


def test_a_filter_leaves_what_fits(spent, owner, editor, now):
    def told(**query):
        answer = shown(owner, spent, **query)
        total = answer.context["total"]
        assert total.entries == answer.context["entries"].paginator.count
        return total.entries, total.billed

    assert told(since=now) == (3, 6.5) and told(until="2025-12") == (1, 3)
    assert told(since="2025-12", until=now) == (4, 9.5) and told(since=now, until="2025-12") == (0, 0)
    assert told(person=editor.pk) == (1, 0) and told(purpose="chat") == (1, 0.5)
    assert told(purpose="evaluation") == (0, 0)


WRONG = [
    {"since": "soon"}, {"since": "2026-13"}, {"until": "2026-11-05"}, {"person": "x"}, {"person": 10**30},
    {"purpose": "fun"}, {"by": "password"}, {"by": "by__password"}, {"since": "\x00"},
]  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_a_bad_filter_is_told(spent, owner, query):
    page = pages(owner).get(where(spent), query)
    assert page.status_code == 200 and 'class="errorlist' in page.content.decode()
    assert pages(owner).get(where(spent, "costs.csv"), query).status_code == 200
    assert api(owner).get(f"/api{where(spent)}", query).status_code == 400


def test_the_chart_has_its_table_and_its_values_on_hover(spent, owner, now):
    page = shown(owner, spent).content.decode()
    assert f"<title>{now} · training: $8</title>" in page and f"<title>{now} · chat: $0.5</title>" in page
    assert "<title>2025-12 · training: $3</title>" in page
    assert 'data-label="Together">$8.5</td>' in page


def test_the_file_has_a_line_for_every_month_person_purpose_and_model(spent, owner, editor, now):
    rows = table(pages(owner).get(where(spent, "costs.csv")))
    assert [(row["month"], row["purpose"], row["model"], row["billed USD"]) for row in rows] == [
        (now, "training", "large", "6.000000"), (now, "training", "small", "0.000000"),
        (now, "chat", "small", "0.500000"), ("2025-12", "training", "large", "3.000000"),
    ]  # fmt: skip
    assert (rows[1]["person"], rows[1]["name"], rows[1]["reserved USD"]) == (
        str(editor.pk),
        "Eva Editor",
        "2.000000",
    )
    assert table(api(owner).get(f"/api{where(spent, 'costs.csv')}")) == rows
    assert len(table(pages(owner).get(where(spent, "costs.csv"), {"purpose": "chat"}))) == 1


@pytest.mark.parametrize("name", ["=1+1", "+1 me", "-2+3", "@SUM(1)", " =cmd|' /C calc'!A0"])
def test_a_spreadsheet_runs_nothing(spent, owner, editor, name):
    User.objects.filter(pk=editor.pk).update(name=name)
    rows = table(pages(owner).get(where(spent, "costs.csv"), {"person": editor.pk}))
    assert [row["name"] for row in rows] == [f"'{name}"]


def test_a_name_is_only_words_on_the_page(spent, owner, editor):
    User.objects.filter(pk=editor.pk).update(name="<script>alert(1)</script>")
    page = shown(owner, spent, by="person").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_another_courses_money_stays_there(spent, owner, model):
    other = factories.make_course(owner=owner, title="Elsewhere")
    factories.make_budget(course=other)
    spend(other, model, owner, estimate="7")
    assert shown(owner, spent).context["total"].entries == 4
    assert shown(owner, other).context["total"].reserved == 7


def test_who_has_been_forgotten_is_a_former_member(spent, owner, student):
    student.forget()
    page = shown(owner, spent, by="person").content.decode()
    assert "former member" in page and "Sam Student" not in page


def test_fifty_entries_a_page(spent, model, editor, owner):
    for _turn in range(60):
        spend(spent, model, editor, estimate="0", settled="0")
    first, second = shown(owner, spent, by="model"), shown(owner, spent, by="model", page=2)
    assert (len(first.context["entries"]), len(second.context["entries"])) == (50, 14)
    assert "?by=model&amp;page=2" in first.content.decode()
    assert pages(owner).get(where(spent), {"page": "nine"}).status_code == 200


def test_queries_do_not_grow_with_rows(spent, owner, model):
    def counted():
        found = []
        for ask in (
            lambda: shown(owner, spent, by="person"),
            lambda: b"".join(pages(owner).get(where(spent, "costs.csv"))),
            lambda: api(owner).get(f"/api{where(spent)}"),
        ):
            with CaptureQueriesContext(connection) as seen:
                ask()
            found.append(len(seen))
        return found

    before = counted()
    for number in range(12):
        person = factories.make_user(name=f"Person {number}")
        base = factories.make_model(name=f"model {number}")
        spend(spent, base, person, estimate="0", settled="0", month=LAST_YEAR.replace(month=number + 1))
    assert counted() == before
