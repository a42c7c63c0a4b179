"""A deployment on the page of its job, through the API and in the admin: who may, and what is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from finetuning import deploying
from finetuning.models import Deployment
from providers.models import LedgerEntry, Provider
from tests import factories
from tests.doors import api, pages
from tests.providers.imitations.azure import Azure

HTMX = {"HX-Request": "true"}


@pytest.fixture
def azure():
    with Azure() as there:
        yield there


@pytest.fixture
def tuned(azure, version, course, editor):
    factories.make_budget(course=course, limit="100")
    provider = factories.make_provider(base_url=azure.base_url, kind="azure", name="Our Azure")
    model = factories.make_model(provider=provider, train="0", answer="0")
    model.prices.create(what="hosting", amount="1.70", valid_from="2026-01-01", source="a test")
    return factories.make_tuned_model(
        job=factories.make_job(version=version, model=model, by=editor), name="tiny.ft-1"
    )


def sweep():
    Deployment.objects.exclude(next_poll_at=None).update(next_poll_at=timezone.now())
    deploying.sweep()


def page_of(tuned, person):
    return pages(person).get(f"/jobs/{tuned.job_id}/").content.decode()


def test_the_whole_way_on_the_page(tuned, azure, editor):
    page = page_of(tuned, editor)
    assert "has to be deployed" in page and "$1.7 an hour" in page
    browser = pages(editor)
    assert browser.post(f"/models/{tuned.pk}/deployment/")["Location"] == f"/jobs/{tuned.job_id}/"
    deployment = Deployment.objects.get()
    assert "Deploy <code>tiny.ft-1</code> at Our Azure" in page_of(tuned, editor)
    browser.post(f"/deployments/{deployment.pk}/name/", {"name": " keeper "})
    sweep()
    assert "does not know “keeper” yet" in page_of(tuned, editor)
    live = browser.get(f"/deployments/{deployment.pk}/", headers=HTMX)
    assert live.status_code == 200 and "hx-get" in live.content.decode()
    azure.deploy("tiny.ft-1", "keeper")
    sweep()
    live = browser.get(f"/deployments/{deployment.pk}/", headers=HTMX)
    assert live.status_code == 286 and "<html" not in live.content.decode()
    assert "Costs $1.7 an hour while it is up" in page_of(tuned, editor)
    assert browser.post(f"/models/{tuned.pk}/assistant/").status_code == 403
    browser.post(f"/deployments/{deployment.pk}/remove/")
    assert tuned.deployment is None and "has to be deployed" in page_of(tuned, editor)
    assert LedgerEntry.objects.get(purpose="hosting").settled == Decimal("1.7")
    acts = AuditEntry.objects.filter(action__startswith="deployment.", actor=editor).order_by("pk")
    assert [entry.action for entry in acts] == ["deployment.start", "deployment.name", "deployment.remove"]


def test_until_it_is_deployed_nothing_is_made_of_it_and_the_page_says_what_to_do(tuned, owner):
    for address in (f"/models/{tuned.pk}/assistant/", f"/models/{tuned.pk}/evaluate/"):
        answer = pages(owner).post(address)
        assert (
            answer.status_code == 400 and "Deploy it on the page of its job first" in answer.content.decode()
        )


def test_the_page_of_a_model_that_needs_none_says_nothing_of_it(version, provider, editor):
    model = factories.make_model(provider=provider, train="0")
    tuned = factories.make_tuned_model(version=version, model=model, by=editor)
    assert 'id="deployment"' not in page_of(tuned, editor)


def test_the_api_does_the_same(tuned, azure, editor):
    program, where = api(editor), f"/api/models/{tuned.pk}/deployments/"
    answer = program.post(where, {})
    row = answer.json()
    assert answer.status_code == 201 and (row["state"], row["hourly"], row["name"]) == (
        "requested",
        "1.7000",
        "",
    )
    azure.deploy("tiny.ft-1", "keeper")
    assert (
        program.post(f"/api/deployments/{row['id']}/name/", {"name": "keeper"}).json()["state"] == "waiting"
    )
    sweep()
    told = program.get(f"/api/deployments/{row['id']}/").json()
    assert (told["state"], told["name"], told["spent"]) == ("ready", "keeper", "1.700000")
    assert program.post(f"/api/deployments/{row['id']}/name/", {"name": "other"}).status_code == 409
    assert program.post(f"/api/deployments/{row['id']}/remove/").json()["state"] == "ended"
    assert program.post(f"/api/deployments/{row['id']}/remove/").status_code == 409
    assert [each["id"] for each in program.get(where).json()["results"]] == [row["id"]]


@pytest.mark.parametrize("name", ["a b", "x\x00y", "ключ", "y" * 201, {"a": 1}])
def test_a_bad_name_is_400_through_both_doors(tuned, editor, name):
    row = Deployment.objects.start(tuned, by=editor)
    assert (
        api(editor).post(f"/api/deployments/{row.pk}/name/", {"name": name}, format="json").status_code == 400
    )
    assert pages(editor).post(f"/deployments/{row.pk}/name/", {"name": str(name)}).status_code == 400
    assert pages(editor).post(f"/deployments/{row.pk}/name/").status_code == 400


def test_who_may_what(tuned, owner, editor, reviewer, student, stranger, staff):
    row = Deployment.objects.start(tuned, by=editor)
    for person, see, act in [
        (owner, 200, 201), (editor, 200, 201), (staff, 200, 201), (reviewer, 200, 403), (student, 404, 404),
        (stranger, 404, 404),
    ]:  # fmt: skip
        assert api(person).get(f"/api/deployments/{row.pk}/").status_code == see
        assert api(person).post(f"/api/models/{tuned.pk}/deployments/", {}).status_code == act
    assert "Take down" in page_of(tuned, editor) and "Take down" not in page_of(tuned, reviewer)


def test_staff_take_it_down_in_the_admin(tuned, db, editor):
    root = factories.make_user(is_staff=True, is_superuser=True)
    row = Deployment.objects.start(tuned, by=editor)
    body = {"action": "take_down", "_selected_action": [row.pk]}
    assert pages(root).post("/admin/finetuning/deployment/", body).status_code == 302
    row.refresh_from_db()
    assert row.state == "ended" and row.moves.last().by == root
    assert pages(root).get(f"/admin/finetuning/deployment/{row.pk}/change/").status_code == 200


def test_what_a_sweep_wrote_is_read_in_the_readers_language(tuned, editor):
    deployment = Deployment.objects.start(tuned, by=editor)
    pages(editor).post(f"/deployments/{deployment.pk}/name/", {"name": "keeper"})
    Provider.objects.filter(pk=deployment.provider_id).update(rests_until=timezone.now() + timedelta(hours=1))
    sweep()
    assert "The provider rests after failures." in page_of(tuned, editor)
    editor.language = "ru"
    editor.save()
    assert "Провайдер отдыхает после сбоев." in page_of(tuned, editor)
    Deployment.objects.update(problem="<b>100 %</b>")
    assert "&lt;b&gt;100 %&lt;/b&gt;" in page_of(tuned, editor)
