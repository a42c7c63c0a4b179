"""What anybody writes in the admin stands on the audit trail, with what it was before; but no secret and no name."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission

from accounts.models import AuditEntry, User
from courses.models import Course
from datasets.models import Dataset
from providers.models import Budget, Model, Provider
from tests import factories
from tests.admin.rows import run
from tests.doors import pages

KEY = "sk-very-secret-key-of-a-provider"


NO_ROWS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def last(action):
    return AuditEntry.objects.filter(action=action).first()


@pytest.fixture
def client(root):
    return pages(root)


def test_a_change_tells_before_and_after_on_its_course(client, root, course):
    fields = {"title": "The light", "description": "", "language": "ru", "two_person": "on", **NO_ROWS}
    assert client.post(f"/admin/courses/course/{course.pk}/change/", fields).status_code == 302
    entry = last("course.change")
    assert (entry.actor, entry.role, entry.course_id) == (root, "superuser", course.pk)
    assert entry.before == {"title": "The lighthouse", "language": "en"}
    assert entry.after == {"title": "The light", "language": "ru"}
    assert entry.address and entry.request_id


def test_saving_what_was_there_tells_nothing(client, course):
    fields = {"title": course.title, "description": "", "language": "en", **NO_ROWS}
    assert client.post(f"/admin/courses/course/{course.pk}/change/", fields).status_code == 302
    assert last("course.change") is None


def test_money_and_instructions_are_told_on_their_course(client, course, dataset):
    budget = factories.make_budget(course=course, limit="10")
    client.post(f"/admin/providers/budget/{budget.pk}/change/", {"limit": "25.5"})
    assert Budget.objects.get().limit == 25.5
    entry = last("budget.change")
    assert (entry.course_id, entry.before, entry.after) == (
        course.pk,
        {"limit": "10.0000"},
        {"limit": "25.5"},
    )
    client.post(
        f"/admin/datasets/dataset/{dataset.pk}/change/", {"title": "New", "instructions": "Be brief."}
    )
    assert Dataset.objects.get().title == "New"
    assert last("dataset.change").after == {"title": "New", "instructions": "Be brief."}


def test_a_key_is_said_to_have_changed_and_stands_nowhere(client, db):
    row = factories.make_provider(
        base_url="https://api.example.org/v1", key="sk-the-old-key-of-it", name="Example"
    )
    fields = {
        "name": "Example",
        "kind": row.kind,
        "base_url": row.base_url,
        "capabilities": "{}",
        "new_key": KEY,
    }
    assert client.post(f"/admin/providers/provider/{row.pk}/change/", fields).status_code == 302
    assert Provider.objects.get(pk=row.pk).key == KEY
    entry = last("provider.change")
    assert entry.after == {"is_active": False, "new_key": "changed"}
    pages_told = [
        client.get(f"/admin/providers/provider/{row.pk}/{page}/").content.decode()
        for page in ("history", "change")
    ]
    for told in (*pages_told, str(list(AuditEntry.objects.values())), str(list(LogEntry.objects.values()))):
        assert KEY not in told and "sk-the-old" not in told


def test_rows_inside_a_form_are_told_too(client, db):
    model = factories.make_model()
    kept, gone, third = model.prices.order_by("pk")
    prices = [
        {"id": kept.pk, "what": kept.what, "amount": "7", "valid_from": "2026-01-01", "source": "a test"},
        {
            "id": gone.pk,
            "what": gone.what,
            "amount": "1",
            "valid_from": "2026-01-01",
            "source": "x",
            "DELETE": "on",
        },
        {
            "id": third.pk,
            "what": third.what,
            "amount": "1.00",
            "valid_from": "2026-01-01",
            "source": "a test",
        },
        {"id": "", "what": "cached", "amount": "0.5", "valid_from": "2026-02-01", "source": "a list"},
    ]
    fields = {f"prices-{at}-{name}": value for at, row in enumerate(prices) for name, value in row.items()}
    fields |= {"prices-TOTAL_FORMS": 4, "prices-INITIAL_FORMS": 3, "trainable": "on"}
    fields |= {f"prices-{at}-model": model.pk for at in range(4)}
    fields |= {
        "provider": model.provider_id,
        "name": model.name,
        "context_tokens": 4096,
        "example_tokens": 2048,
    }
    assert client.post(f"/admin/providers/model/{model.pk}/change/", fields).status_code == 302
    assert last("price.change").after == {"amount": "7"} and last("price.change").object_id == str(kept.pk)
    assert last("price.delete").object_id == str(gone.pk)
    assert last("price.add").after["source"] == "a list"
    assert last("model.change") is None and AuditEntry.objects.filter(action="price.change").count() == 1


def test_people_stand_in_the_trail_and_in_the_history_without_name_and_email(client, editor, db):
    fields = {"email": "New@Example.org", "name": "Nora New", "language": "en", "is_active": "on"}
    assert client.post(f"/admin/accounts/user/{editor.pk}/change/", fields).status_code == 302
    assert User.objects.get(pk=editor.pk).email == "new@example.org"
    assert last("person.change").after == {"email": "changed", "name": "changed"}
    password = {"password1": "a-long-pass-phrase", "password2": "a-long-pass-phrase", "set-password": "1"}
    fresh = {"email": "Fred@Example.org", "name": "Fred Fresh", **password}
    assert client.post("/admin/accounts/user/add/", fresh).status_code == 302
    fred = User.objects.get(email="fred@example.org")
    assert fred.check_password("a-long-pass-phrase")
    assert last("person.add").object_label == f"person {fred.pk}"
    told = str(list(AuditEntry.objects.values())) + str(list(LogEntry.objects.values()))
    assert LogEntry.objects.count() == 2
    for word in ("Nora", "Fred", "xample.org", "pass-phrase", "argon2"):
        assert word not in told


def test_a_password_is_said_to_have_changed(client, editor):
    path = f"/admin/accounts/user/{editor.pk}/password/"
    fields = {"password1": "a-long-pass-phrase", "password2": "another-phrase", "set-password": "1"}
    assert client.post(path, fields).status_code == 200 and last("person.change") is None
    assert client.post(path, fields | {"password2": "a-long-pass-phrase"}).status_code == 302
    assert User.objects.get(pk=editor.pk).check_password("a-long-pass-phrase")
    assert last("person.change").after == {"password": "changed"}


def test_rights_of_people_and_groups_are_told(client, editor):
    seeing = Permission.objects.get(codename="view_job")
    assert (
        client.post("/admin/auth/group/add/", {"name": "Inspectors", "permissions": [seeing.pk]}).status_code
        == 302
    )
    group = Group.objects.get()
    assert last("group.add").after == {"name": "Inspectors", "permissions": [seeing.pk]}
    fields = {
        "email": editor.email,
        "name": editor.name,
        "language": "en",
        "is_active": "on",
        "is_staff": "on",
    }
    client.post(f"/admin/accounts/user/{editor.pk}/change/", fields | {"groups": [group.pk]})
    entry = last("person.change")
    assert entry.before == {"is_staff": False, "groups": []}
    assert entry.after == {"is_staff": True, "groups": [group.pk]}
    client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    assert last("group.delete").object_label == "Inspectors"


def test_deletions_are_told_one_by_one(client, db):
    provider = factories.make_provider()
    one, two, three = (factories.make_model(provider=provider, name=f"m{at}") for at in range(3))
    client.post(f"/admin/providers/model/{one.pk}/delete/", {"post": "yes"})
    run(client, two, "delete_selected", three, post="yes")
    assert not Model.objects.filter(provider=provider).exists()
    told = AuditEntry.objects.filter(action="model.delete").values_list("object_id", flat=True)
    assert set(told) == {str(each.pk) for each in (one, two, three)}


def test_grants_by_hand_are_told(client, course, stranger):
    path = f"/admin/courses/course/{course.pk}/permissions/user-manage/{stranger.pk}/"
    assert client.post(path, {"permissions": ["view_course", "chat_course"]}).status_code == 302
    entry = last("course.grant")
    assert (entry.before, entry.after, entry.details) == ([], ["chat", "see"], {"person": stranger.pk})
    assert entry.course_id == course.pk
    group = Group.objects.create(name="Inspectors")
    path = f"/admin/courses/course/{course.pk}/permissions/group-manage/{group.pk}/"
    assert client.post(path, {"permissions": ["view_course"]}).status_code == 302
    assert last("course.grant").details == {"group": group.pk}


@pytest.mark.parametrize("way", ["delete", "action"])
def test_a_course_goes_with_all_below_it_by_its_verb(client, filled, way):
    path = f"/admin/courses/course/{filled.pk}/delete/"
    asked = client.get(path).content.decode()
    assert "Passages" in asked or "passages" in asked
    if way == "delete":
        assert client.post(path, {"post": "yes"}).status_code == 302
    else:
        run(client, filled, "delete_selected", post="yes")
    assert not Course.objects.filter(pk=filled.pk).exists()
    assert AuditEntry.objects.filter(action="course.remove", course_id=filled.pk).count() == 1
