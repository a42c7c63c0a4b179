"""“Train the same version elsewhere” leads to a form that is filled in."""

import pytest

from tests import doors, factories


@pytest.fixture
def fitting(provider):
    there = factories.make_provider(name="elsewhere", base_url=provider.base_url)
    return factories.make_model(provider=there, name="fitting", train="1")


def test_the_form_starts_with_the_settings_of_the_old_job_at_the_other_provider(job, fitting, editor):
    page = doors.pages(editor).get(f"/versions/{job.version_id}/train/?elsewhere={job.pk}")
    form = page.context["form"]
    assert form.initial["model"] == fitting.pk and form.initial["seed"] == job.seed
    assert f'value="{fitting.pk}" selected' in page.content.decode()


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30])
def test_an_odd_address_is_the_plain_form(job, editor, odd):
    page = doors.pages(editor).get(f"/versions/{job.version_id}/train/?elsewhere={odd}")
    assert page.status_code == 200 and "effort" in page.context["form"].fields


def test_a_job_that_one_may_not_see_is_not_there(job, stranger, owner):
    other = factories.make_course(owner=stranger)
    version = factories.make_version(dataset=factories.make_dataset(course=other), examples=12)
    assert doors.pages(stranger).get(f"/versions/{version.pk}/train/?elsewhere={job.pk}").status_code == 404
