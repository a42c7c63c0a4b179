import pytest

from tests import factories
from tests.admin.rows import fill


@pytest.fixture
def root(db):
    return factories.make_user(name="Rita Root", email="root@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def filled(owner):
    """A course with a row in every table below it."""
    return fill(owner, 1)
