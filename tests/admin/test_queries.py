"""A list in the admin costs as many queries with ten rows as with one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.rows import MODELS, address, fill
from tests.doors import pages


@pytest.fixture
def queries(root):
    client = pages(root)

    def counted(path):
        client.get(path)
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(path)
        assert answer.status_code == 200, path
        return len(seen)

    return counted


def test_no_list_needs_more_queries_for_more_rows(queries, filled, owner):
    before = {model: queries(address(model)) for model in MODELS}
    for number in range(2, 11):
        fill(owner, number)
    assert all(model._default_manager.count() >= 10 for model in MODELS)
    after = {model: queries(address(model)) for model in MODELS}
    grown = {model: (before[model], after[model]) for model in MODELS if after[model] > before[model]}
    assert not grown
