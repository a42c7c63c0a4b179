"""A key belongs to the address that it was given for, by whatever way the address changes."""

import pytest
from django.core.exceptions import ValidationError

from providers.models import Provider
from tests import factories

HERE, THERE = "https://api.example.org/v1", "https://other.example/v1"


@pytest.fixture
def row(db):
    return factories.make_provider(base_url=HERE, key="sk-of-the-old-address")


def key_of(row):
    return Provider.objects.get(pk=row.pk).key


def test_a_save_with_another_address_takes_it_away(row):
    row.base_url = THERE
    row.save()
    assert key_of(row) == row.key == ""


def test_a_save_of_the_address_alone_takes_it_away(row):
    row.base_url = THERE
    row.save(update_fields=["base_url"])
    assert key_of(row) == ""


def test_an_update_of_rows_takes_it_away(row):
    Provider.objects.filter(pk=row.pk).update(base_url=THERE)
    assert key_of(row) == ""


def test_a_row_that_was_read_in_part_loses_it_too(row):
    part = Provider.objects.only("name").get(pk=row.pk)
    part.base_url = THERE
    part.save()
    assert key_of(row) == ""


def test_a_kind_that_stands_elsewhere_takes_it_away(db, settings):
    engine = factories.make_provider(base_url="", kind="engine", key="sk-of-an-engine")
    engine.kind = "openai"
    engine.save()
    assert key_of(engine) == ""


def test_a_key_that_comes_with_the_address_is_kept(row):
    row.base_url, row.key = THERE, "sk-of-the-new-address"
    row.save()
    assert key_of(row) == "sk-of-the-new-address"


def test_saving_anything_else_leaves_it(row):
    row.name = "Another name"
    row.save()
    row.base_url = THERE
    row.save(update_fields=["name"])
    assert key_of(row) == "sk-of-the-old-address"


def test_a_provider_that_is_switched_on_needs_an_address(db):
    row = factories.make_provider(base_url="", kind="azure")
    with pytest.raises(ValidationError) as told:
        row.full_clean(exclude=["key"])
    assert set(told.value.message_dict) == {"base_url"}
    Provider(name="off", kind="azure", is_active=False).full_clean(exclude=["key"])
    Provider(name="ours", kind="engine").full_clean(exclude=["key"])
