"""The limit of a month: who sets it, what is refused, and what stands on the audit trail."""

from decimal import Decimal

import pytest

from accounts.models import AuditEntry
from accounts.tokens import make_token
from common.states import Refused
from providers.ledger import Budget, this_month
from tests.costs.conftest import spend
from tests.doors import api, pages


def by_page(person, course, **values):
    return pages(person).post(f"/courses/{course.pk}/budget/", values)


def by_api(person, course, **values):
    return api(person).put(f"/api/courses/{course.pk}/budget/", values, format="json")


DOORS = [(by_page, 302), (by_api, 200)]


@pytest.mark.parametrize(("door", "done"), DOORS)
def test_owners_and_staff_set_it_and_nobody_else(
    course, owner, editor, reviewer, student, stranger, staff, now, door, done
):
    for person in (editor, reviewer, student):
        assert door(person, course, month=now, limit="9").status_code == 403
    assert door(stranger, course, month=now, limit="9").status_code == 404
    assert not Budget.objects.exists()
    for number, person in enumerate((owner, staff), start=5):
        assert door(person, course, month=now, limit=str(number)).status_code == done
        assert Budget.objects.get().limit == number


def test_a_token_that_may_only_train_sets_no_limit(course, owner, now):
    for scopes, status in [(["read", "train"], 403), (["manage"], 200)]:
        client = api()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(owner, 1, scopes)[1]}")
        answer = client.put(f"/api/courses/{course.pk}/budget/", {"month": now, "limit": "9"}, format="json")
        assert answer.status_code == status


WRONG = [
    "NaN", "sNaN", "Infinity", "-Infinity", "-1", "-0.0001", "1e30", "1E+12", "12,5", "1.23456", "", "ten", "0x10",
    "$5", "1 000", "9" * 400, "100000000", "\x00",
]  # fmt: skip


@pytest.mark.parametrize(("door", "done"), DOORS)
def test_what_is_no_sum_of_money_is_400(course, owner, now, door, done):
    for limit in WRONG:
        assert door(owner, course, month=now, limit=limit).status_code == 400, limit
    for month in ("", "soon", "2026-13", "2026-11-05", "11/2026", "\x00", "0000-01"):
        assert door(owner, course, month=month, limit="5").status_code == 400, month
    assert door(owner, course).status_code == 400
    assert not Budget.objects.exists() and not AuditEntry.objects.filter(action="budget.set").exists()


@pytest.mark.parametrize("limit", [None, True, [], {}, 1e30])
def test_what_is_no_number_in_json_is_400(course, owner, now, limit):
    assert by_api(owner, course, month=now, limit=limit).status_code == 400


def test_json_may_hold_no_nan(course, owner, now):
    body = f'{{"month": "{now}", "limit": NaN}}'
    client = api(owner)
    answer = client.put(f"/api/courses/{course.pk}/budget/", body, content_type="application/json")
    assert answer.status_code == 400


def test_the_page_says_beside_the_field_what_is_wrong(course, owner, now):
    page = by_page(owner, course, month=now, limit="12,5").content.decode()
    assert "A number of US dollars with a point, such as 12.50." in page
    assert 'value="12,5"' in page and "<details open>" in page


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_point_is_a_point_in_every_language(course, owner, now, language):
    client = pages(owner)
    client.cookies["django_language"] = language
    client.post(f"/courses/{course.pk}/budget/", {"month": now, "limit": "1234.56"})
    assert Budget.objects.get().limit == Decimal("1234.56")
    form = client.get(f"/courses/{course.pk}/costs/").content.decode()
    assert 'value="1234.5600"' in form and f'value="{now}"' in form


def test_before_and_after_are_on_the_audit_trail_and_nothing_where_nothing_changes(course, owner, staff, now):
    for person, limit in [(owner, "10"), (owner, "10.00"), (staff, "25.5")]:
        by_api(person, course, month=now, limit=limit)
    rows = AuditEntry.objects.filter(action="budget.set").order_by("pk")
    assert [(row.actor, row.before, row.after, row.course_id) for row in rows] == [
        (owner, None, {"limit": "10"}, course.pk), (staff, {"limit": "10"}, {"limit": "25.5"}, course.pk),
    ]  # fmt: skip
    assert all(row.object_label == f"{course} {now}" for row in rows)


def test_below_what_is_held_it_is_set_and_said_and_stops_spending(spent, owner, model, now):
    answer = pages(owner).post(f"/courses/{spent.pk}/budget/", {"month": now, "limit": "3"}, follow=True)
    page = answer.content.decode()
    assert "This is below what is held already" in page and "$5.5 more is held than the limit allows" in page
    told = by_api(owner, spent, month=now, limit="4").json()
    assert (told["over"], told["free"], told["level"]) == ("4.500000", "0.000000", "reached")
    with pytest.raises(Refused):
        spend(spent, model, owner, estimate="0.01")
    by_api(owner, spent, month=now, limit="8.51")
    assert spend(spent, model, owner, estimate="0.01").reserved == Decimal("0.01")


def test_a_month_that_is_over_keeps_its_budget_and_a_later_one_gets_its_own(course, owner, now):
    answer = by_api(owner, course, month="2025-12", limit="5")
    assert answer.status_code == 400 and "2025-12 is over" in answer.json()["detail"]
    assert by_page(owner, course, month="2025-12", limit="5").status_code == 400
    later = this_month().replace(year=this_month().year + 1)
    assert by_api(owner, course, month=f"{later:%Y-%m}", limit="5").json()["month"] == f"{later:%Y-%m}"
    assert [row.month for row in Budget.objects.all()] == [later]


def test_any_day_stands_for_its_month(course, owner):
    budget = Budget.objects.set_limit(course, this_month().replace(day=28), 5, by=owner)
    assert (budget.month, budget.limit) == (this_month(), 5)
