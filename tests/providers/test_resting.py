"""A provider that fails time and again is left alone for a while, each time for longer."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from providers.models import Provider
from tests import factories


def rest(provider):
    """Seconds, rounded; 0 where it does not rest."""
    provider.refresh_from_db()
    return round((provider.rests_until - timezone.now()).total_seconds()) if provider.is_resting else 0


def wake(provider):
    Provider.objects.filter(pk=provider.pk).update(rests_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def failing(db):
    return factories.make_provider()


def test_four_failures_are_borne_and_the_fifth_is_not(failing):
    for _turn in range(4):
        failing.note_failure()
    assert (rest(failing), failing.is_resting) == (0, False)
    assert failing in Provider.objects.usable()
    failing.note_failure()
    assert (rest(failing), failing.is_resting) == (30, True)
    assert failing not in Provider.objects.usable()
    assert failing in Provider.objects.usable(timezone.now() + timedelta(seconds=31))


def test_each_failure_after_a_rest_makes_the_next_longer_up_to_ten_minutes(failing):
    rests = []
    for _turn in range(11):
        failing.note_failure()
        rests.append(rest(failing))
        wake(failing)
    assert rests == [0, 0, 0, 0, 30, 60, 120, 240, 480, 600, 600]


def test_failures_during_a_rest_do_not_make_it_longer(failing):
    for _turn in range(9):
        failing.note_failure()
    assert rest(failing) == 30


def test_a_success_forgets_the_failures(failing):
    for _turn in range(7):
        failing.note_failure()
    failing.note_success()
    assert (rest(failing), failing.failures) == (0, 0)
    assert failing in Provider.objects.usable()


def test_a_success_of_a_healthy_provider_writes_nothing(failing, django_assert_num_queries):
    with django_assert_num_queries(1):
        failing.note_success()


def test_what_is_switched_off_is_never_usable(failing):
    Provider.objects.update(is_active=False)
    assert not Provider.objects.usable().exists()


@pytest.mark.django_db(transaction=True)
def test_failures_at_once_are_all_counted_and_one_rest_comes_of_them():
    provider = factories.make_provider()

    def fail():
        Provider.objects.get(pk=provider.pk).note_failure()
        connection.close()

    crowd = [Thread(target=fail) for _turn in range(12)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    provider.refresh_from_db()
    assert provider.failures == 12
    assert provider.is_resting
