"""The API of a course's money."""

from tests import factories
from tests.costs.conftest import spend
from tests.doors import api


def told(person, course, **query):
    answer = api(person).get(f"/api/courses/{course.pk}/costs/", query)
    assert answer.status_code == 200
    return answer.json()


def test_the_month_and_the_sum_of_all_that_fits(spent, owner, now):
    answer = told(owner, spent)
    assert answer["currency"] == "USD"
    assert answer["budget"] == {
        "month": now, "limit": "10.0000", "reserved": "2.000000", "billed": "6.500000", "free": "1.500000",
        "level": "near",
    }  # fmt: skip
    total = answer["total"]
    assert (total["entries"], total["tokens"]) == (4, 17030)
    assert (total["estimated"], total["reserved"], total["billed"]) == ("12.000000", "2.000000", "9.500000")
    assert {total[key] for key in ("month", "person", "name", "purpose", "model", "provider")} == {None}


def test_a_row_for_every_combination(spent, editor, model, now):
    answer = told(editor, spent)
    assert answer["count"] == 4
    assert answer["results"][1] == {
        "month": now, "person": editor.pk, "name": "Eva Editor", "purpose": "training", "model": "small",
        "provider": model.provider.name, "entries": 1, "tokens": 1000, "estimated": "2.000000",
        "reserved": "2.000000", "billed": "0.000000",
    }  # fmt: skip


def test_or_by_one_thing(spent, owner, now):
    rows = told(owner, spent, by="purpose", since=now)["results"]
    assert [(row["purpose"], row["billed"], row["month"], row["model"]) for row in rows] == [
        ("training", "6.000000", None, None), ("chat", "0.500000", None, None),
    ]  # fmt: skip
    assert [row["month"] for row in told(owner, spent, by="month")["results"]] == [now, "2025-12"]


def test_rows_come_by_the_page(spent, owner, model):
    for number in range(5):
        spend(spent, factories.make_model(name=f"m{number}"), owner, estimate="0", settled="0")
    answer = told(owner, spent, page_size=4)
    assert (answer["count"], len(answer["results"]), "page=2" in answer["next"]) == (9, 4, True)
    assert len(told(owner, spent, page_size=4, page=3)["results"]) == 1
    assert api(owner).get(f"/api/courses/{spent.pk}/costs/", {"page": 99}).status_code == 404


def test_a_course_without_a_limit(course, reviewer):
    budget = told(reviewer, course)["budget"]
    assert (budget["limit"], budget["free"], budget["level"]) == (None, "0.000000", "")
