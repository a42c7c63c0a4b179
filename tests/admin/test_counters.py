"""What a form in the admin does not write stays as it is, though it moves while the form is being saved."""

from threading import Thread
from time import sleep

import pytest
from django.db import connection, transaction

from providers.models import Budget
from tests import factories
from tests.doors import pages


@pytest.mark.django_db(transaction=True)
def test_money_held_meanwhile_is_not_set_back(root, course):
    budget = factories.make_budget(course=course, limit="10")
    client, answers = pages(root), []

    def change():
        answers.append(client.post(f"/admin/providers/budget/{budget.pk}/change/", {"limit": "20"}))
        connection.close()

    saving = Thread(target=change)
    with transaction.atomic():
        assert Budget.objects.hold(course, budget.month, 4)
        saving.start()
        sleep(1)
        assert not answers
    saving.join()
    budget.refresh_from_db()
    assert answers[0].status_code == 302 and (budget.limit, budget.held) == (20, 4)
