"""Staff see and do in the admin what their permissions there give them, and learn nothing beside it."""

import pytest

from accounts.models import AuditEntry, User
from courses.models import Course
from finetuning.models import Job
from providers.models import Budget
from tests import factories
from tests.admin.rows import allow, run
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
