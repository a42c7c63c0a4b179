"""`manage.py costs`: a table for people, CSV for programs."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests import factories
from tests.costs.conftest import spend


def costs(*words):
    out = StringIO()
    call_command("costs", *words, stdout=out)
    return out.getvalue()


def table(*words):
    return list(csv.DictReader(StringIO(costs(*words, "--csv"), newline="")))


def test_a_line_for_every_month_and_one_for_all(spent, now):
    words = [line.split() for line in costs().splitlines()]
    assert words[1:] == [
        [now, "3", "8,030", "8.0000", "2.0000", "6.5000"],
        ["2025-12", "1", "9,000", "4.0000", "0.0000", "3.0000"],
        ["together", "4", "17,030", "12.0000", "2.0000", "9.5000"],
    ]


def test_by_whatever_is_wanted(spent, owner, editor, student):
    billed = {
        by: {row[by]: row["billed USD"] for row in table("--by", by)}
        for by in ("person", "purpose", "model", "course")
    }
    assert billed["person"] == {str(owner): "9.000000", str(editor): "0.000000", str(student): "0.500000"}
    assert billed["purpose"] == {"training": "9.000000", "chat": "0.500000"}
    assert {name.split(" (")[0] for name in billed["model"]} == {"large", "small"}
    assert billed["course"] == {str(spent): "9.500000"}


def test_of_one_course_and_one_month(spent, owner, model, now):
    other = factories.make_course(owner=owner, title="Elsewhere")
    factories.make_budget(course=other)
    spend(other, model, None, estimate="7", settled="7")
    assert {row["course"] for row in table("--by", "course")} == {str(spent), "Elsewhere"}
    (row,) = table("--course", str(other.pk), "--month", now, "--by", "person")
    assert (row["person"], row["billed USD"]) == ("nobody", "7.000000")
    assert table("--course", str(other.pk), "--month", "2025-12") == []


@pytest.mark.parametrize(
    "words", [["--month", "soon"], ["--month", "2026-13"], ["--month", "2026-1"], ["--course", "0"]]
)
def test_what_is_not_there_is_said(db, words):
    with pytest.raises(CommandError, match=r"no month|no course"):
        costs(*words)


def test_a_name_runs_nothing_in_a_spreadsheet_and_marks_nothing_up(spent, editor):
    User.objects.filter(pk=editor.pk).update(name="=1+1 [bold]x")
    assert "'=1+1 [bold]x" in {row["person"] for row in table("--by", "person")}
    assert "=1+1 [bold]x" in costs("--by", "person")
