"""The cast of every test: one person for each role, and a course on which they have it."""

import os
import shutil

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import translation

from accounts import triggers
from datasets.models import Dataset
from tests import factories
from tests.providers.imitation import Imitation

hypothesis.settings.register_profile("suite", deadline=None, database=None, max_examples=60)
hypothesis.settings.register_profile("thorough", deadline=None, database=None, max_examples=3000)
hypothesis.settings.load_profile("suite")


@pytest.fixture(autouse=True)
def audit_trail_ends_with_the_test(request):
    """A test that commits has its rows deleted behind it, which on SQLite the audit trail itself would refuse."""
    mark = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if connection.vendor != "sqlite" or not (commits or (mark and mark.kwargs.get("transaction"))):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    triggers.remove(connection)  # the deletion ends as a migration does, which puts them back


@pytest.fixture(autouse=True)
def english():
    """Whatever language the last request of another test was answered in."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def nobody_has_tried_yet():
    """The limits on signing in are counted in the cache."""
    cache.clear()


@pytest.fixture
def owner(db):
    return factories.make_user(name="Olga Owner", email="owner@example.org", is_instructor=True)


@pytest.fixture
def editor(db):
    return factories.make_user(name="Eva Editor", email="editor@example.org")


@pytest.fixture
def reviewer(db):
    return factories.make_user(name="Rex Reviewer", email="reviewer@example.org")


@pytest.fixture
def student(db):
    return factories.make_user(name="Sam Student", email="student@example.org")


@pytest.fixture
def stranger(db):
    """Owner of another course, and nobody on this one."""
    person = factories.make_user(name="Zoe Stranger", email="stranger@example.org", is_instructor=True)
    factories.make_course(owner=person, title="Another course")
    return person


@pytest.fixture
def staff(db):
    return factories.make_user(name="Stan Staff", email="staff@example.org", is_staff=True)


@pytest.fixture
def inactive(db):
    return factories.make_user(name="Ina Inactive", email="inactive@example.org", is_active=False)


@pytest.fixture
def course(owner, editor, reviewer, student):
    """Empty, with a member in every role."""
    return factories.make_course(owner=owner, editor=editor, reviewer=reviewer, student=student)


@pytest.fixture
def full_course(course, owner):
    """The same with texts."""
    for name in factories.TEXTS:
        factories.make_text(course=course, name=name, by=owner)
    return course


@pytest.fixture
def dataset(full_course, owner):
    """Built from the texts, every example approved."""
    dataset = Dataset.objects.start(full_course, "The keeper answers", factories.INSTRUCTIONS, by=owner)
    dataset.build(by=owner)
    dataset.approve_drafts(by=owner)
    return dataset


@pytest.fixture
def version(dataset, owner):
    return factories.make_version(dataset=dataset, by=owner)


@pytest.fixture
def there():
    """A provider that stands on this machine and does what it is told."""
    with Imitation() as imitation:
        yield imitation


@pytest.fixture
def provider(db, there):
    return factories.make_provider(base_url=there.base_url)


@pytest.fixture(scope="session")
def chromium():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found or not os.environ.get("DEMAND_BROWSER"), "the browser tests are demanded here"
    return found or pytest.skip(
        "no Chromium on this machine: install Debian's chromium for the browser tests"
    )
