import pytest
from django.core import mail

from accounts.mail import office
from tests import factories
from tests.accounts.signing_in import PASSWORD


@pytest.fixture
def ann(db):
    return factories.make_user(name="Ann", email="ann@example.org", password=PASSWORD)


@pytest.fixture
def letters():
    """What has been sent so far, once it has left."""

    def sent():
        office.submit(int).result(timeout=10)
        return mail.outbox

    return sent
