"""Staff see and do in the admin what their permissions there give them, and learn nothing beside it."""

import pytest
from django.contrib.auth.models import Group, Permission

from accounts.models import AuditEntry, User
from courses.models import Course
from finetuning.models import Job
from providers.models import Budget
from tests import factories
from tests.admin.rows import MODELS, address, allow, run
from tests.doors import pages


@pytest.fixture
def job(filled):
    return factories.make_job(version=Job.objects.get().version, by=filled.memberships.first().user)


def test_staff_without_permissions_see_no_table(staff, filled):
    client = pages(staff)
    assert "courses" not in client.get("/admin/").content.decode()
    assert client.get("/admin/courses/course/").status_code == 403
    assert client.get(f"/admin/courses/course/{filled.pk}/change/").status_code == 403
    assert client.get("/admin/finetuning/job/").status_code == 403


def test_whoever_may_view_does_not_act(staff, job):
    client = pages(allow(staff, "finetuning.view_job"))
    page = client.get("/admin/finetuning/job/").content.decode()
    assert str(job.pk) in page and "Cancel" not in page
    run(client, job, "cancel")
    job.refresh_from_db()
    assert job.state == "intended"


def test_whoever_may_change_acts_though_no_form_writes(staff, job):
    client = pages(allow(staff, "finetuning.change_job"))
    run(client, job, "cancel")
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert 'name="_save"' not in client.get(f"/admin/finetuning/job/{job.pk}/change/").content.decode()


def test_columns_fields_and_inlines_of_other_tables_stay_hidden(staff, job, owner):
    client = pages(allow(staff, "finetuning.view_job"))
    for path in ("", f"{job.pk}/change/"):
        page = client.get(f"/admin/finetuning/job/{path}").content.decode()
        assert owner.name not in page and str(job.version) not in page
    client = pages(allow(staff, "accounts.view_user", "finetuning.view_jobmove"))
    assert owner.name in client.get(f"/admin/finetuning/job/{job.pk}/change/").content.decode()


def test_whoever_may_only_delete_the_rows_of_an_inline_does_not_see_them(staff, filled, owner):
    client = pages(allow(staff, "courses.view_course", "accounts.view_user", "courses.delete_membership"))
    page = client.get(f"/admin/courses/course/{filled.pk}/change/").content.decode()
    assert filled.title in page and owner.name not in page


OWN_WORDS = {
    "accounts.User": {"Olga Owner", "owner@example.org", "Member 1", "Program 1"},
    "accounts.AuditEntry": {"Course 1", "Set 1"},
    "courses.Course": {"Course 1"},
    "courses.Service": {"Program 1"},
    "courses.Invitation": {"guest1@example.org"},
    "datasets.Dataset": {"Set 1"},
    "assistants.Assistant": {"Course 1"},  # it is called after its course until it is given another title
}
WORDS = set().union(*OWN_WORDS.values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_whoever_may_view_one_table_reads_no_words_of_another(staff, filled, model):
    staff = allow(staff, f"{model._meta.app_label}.view_{model._meta.model_name}")
    row, client = model._default_manager.order_by("pk").first(), pages(staff)
    read = "".join(
        client.get(address(model) + path).content.decode()
        for path in ("", f"{row.pk}/change/", f"{row.pk}/history/", f"{row.pk}/delete/", "?q=1")
    )
    assert {word for word in WORDS if word in read} <= OWN_WORDS.get(model._meta.label, set())


def test_deleting_tells_no_words_of_what_holds_the_row(staff, filled):
    model = Job.objects.get().model
    client = pages(allow(staff, "providers.view_model", "providers.delete_model", "providers.delete_price"))
    page = client.get(f"/admin/providers/model/{model.pk}/delete/").content.decode()
    assert "rows that still need it" in page and filled.title not in page


def test_suggestions_are_for_those_who_may_view_the_table(staff, filled, owner):
    asked = {"app_label": "accounts", "model_name": "auditentry", "field_name": "actor", "term": "Olga"}
    client = pages(allow(staff, "accounts.view_auditentry"))
    assert client.get("/admin/autocomplete/", asked).status_code == 403
    client = pages(allow(staff, "accounts.view_user"))
    assert [each["text"] for each in client.get("/admin/autocomplete/", asked).json()["results"]] == [
        owner.name
    ]


def test_neither_search_nor_filter_asks_another_table(staff, job, owner):
    client = pages(allow(staff, "finetuning.view_job", "accounts.view_auditentry"))
    assert client.get(f"/admin/finetuning/job/?by__email={owner.email}").status_code == 400
    assert client.get("/admin/finetuning/job/?model__provider__id__exact=1").status_code == 400
    found = client.get("/admin/accounts/auditentry/", {"q": owner.email}).context["cl"].result_count
    assert found == 0
    client = pages(allow(staff, "accounts.view_user"))
    assert client.get("/admin/accounts/auditentry/", {"q": owner.email}).context["cl"].result_count > 0


def test_a_form_offers_no_rows_of_a_table_that_stays_hidden(staff, filled):
    client = pages(allow(staff, "providers.add_budget", "providers.view_budget"))
    assert filled.title not in client.get("/admin/providers/budget/add/").content.decode()
    before = Budget.objects.count()
    fields = {"course": filled.pk, "month": "2027-01-01", "limit": "5"}
    assert client.post("/admin/providers/budget/add/", fields).status_code == 200
    assert Budget.objects.count() == before
    client = pages(allow(staff, "courses.view_course"))
    assert client.post("/admin/providers/budget/add/", fields).status_code == 302
    assert Budget.objects.count() == before + 1


def test_staff_do_not_rise_by_changing_people(staff, root, editor):
    client = pages(allow(staff, "accounts.change_user"))
    fields = {
        "email": editor.email,
        "language": "en",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
    }
    assert client.post(f"/admin/accounts/user/{editor.pk}/change/", fields).status_code == 302
    editor.refresh_from_db()
    assert not editor.is_staff and not editor.is_superuser
    for person in (root, staff):
        for page in ("change", "password"):
            assert client.post(f"/admin/accounts/user/{person.pk}/{page}/", fields).status_code == 403
    assert "Only superusers" in run(client, root, "forget").content.decode()
    assert User.objects.get(pk=root.pk).is_active


def test_staff_do_not_rise_by_changing_their_group(staff):
    group = Group.objects.create(name="Inspectors")
    staff.groups.add(group)
    client = pages(allow(staff, "auth.change_group", "auth.add_group", "auth.view_permission"))
    fields = {"name": "Masters", "permissions": [Permission.objects.get(codename="change_user").pk]}
    assert client.post(f"/admin/auth/group/{group.pk}/change/", fields).status_code == 302
    assert client.post("/admin/auth/group/add/", fields | {"name": "New"}).status_code == 302
    names = {each.name: each.permissions.count() for each in Group.objects.all()}
    assert names == {"Masters": 0, "New": 0}


@pytest.mark.parametrize("taken", ["is_active", "is_staff", "is_superuser"])
def test_the_last_superuser_keeps_everything(root, taken):
    client = pages(root)
    path = f"/admin/accounts/user/{root.pk}/change/"
    fields = {"email": root.email, "name": "", "language": "en"}
    fields |= {name: "on" for name in ("is_active", "is_staff", "is_superuser") if name != taken}
    assert "last active superuser" in client.post(path, fields).content.decode()
    assert "last active superuser" in run(client, root, "forget").content.decode()
    kept = User.objects.get(pk=root.pk)
    assert kept.is_active and kept.is_staff and kept.is_superuser
    factories.make_user(is_staff=True, is_superuser=True)
    assert client.post(path, fields).status_code == 302
    assert not getattr(User.objects.get(pk=root.pk), taken)


def test_grants_are_for_those_who_may_change_them(staff, filled, editor):
    client = pages(allow(staff, "courses.change_course"))
    for page in ("", f"user-manage/{editor.pk}/", "group-manage/1/"):
        assert client.get(f"/admin/courses/course/{filled.pk}/permissions/{page}").status_code == 403
    client = pages(
        allow(staff, "accounts.view_user", "courses.change_courseuserpermission",
              "courses.change_coursegrouppermission")
    )  # fmt: skip
    assert client.get(f"/admin/courses/course/{filled.pk}/permissions/").status_code == 200
    for wrong in ("x/permissions/", f"{filled.pk}/permissions/user-manage/x/", f"{10**30}/permissions/"):
        assert client.get(f"/admin/courses/course/{wrong}").status_code == 404


def test_nobody_deletes_people_or_the_trail(root, owner, filled):
    client, entry = pages(root), AuditEntry.objects.first()
    for row in (owner, entry):
        path = f"/admin/accounts/{row._meta.model_name}/"
        assert client.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        run(client, row, "delete_selected", post="yes")
        assert type(row).objects.filter(pk=row.pk).exists()
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/change/", {"action": "x"}).status_code == 403


def test_a_course_does_not_begin_in_the_admin(root):
    assert pages(root).get("/admin/courses/course/add/").status_code == 403
    assert not Course.objects.exists()
