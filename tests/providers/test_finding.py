"""A job whose answer was lost is found again, whatever the provider keeps of our mark."""

import pytest

from providers import client
from tests import factories
from tests.providers.imitations.unsloth import Unsloth

OURS = {"training_file": "file-9", "suffix": "keeper", "metadata": {"op": "ours"}}


def found(provider, **more):
    return [job.id for job in client.find_jobs(provider, "ours", "file-9", "keeper", **more)]


@pytest.mark.parametrize("order", ["newest first", "oldest first", "any"])
@pytest.mark.parametrize("ignored", [False, True])
def test_by_our_mark_oldest_first(there, provider, order, ignored):
    there.order, there.ignores_filter = order, ignored
    ours = [there.add_job(**OURS)["id"] for _turn in range(3)]
    there.add_job(**{**OURS, "metadata": {"op": "another"}})
    there.add_job(training_file="file-9", suffix="keeper", metadata={"op": "another"})
    assert found(provider) == ours


def test_by_file_and_suffix_where_the_mark_was_dropped(there, provider):
    there.drops_metadata = True
    ours = there.add_job(**OURS)["id"]
    there.add_job(**{**OURS, "suffix": "other"})
    there.add_job(**{**OURS, "training_file": "file-8"})
    assert found(provider) == [ours]


def test_a_job_with_the_mark_of_another_is_not_ours_though_file_and_suffix_are(there, provider):
    there.add_job(**{**OURS, "metadata": {"op": "another"}})
    assert found(provider) == []


def test_without_a_suffix_it_is_told_from_those_that_have_one(there, provider):
    there.drops_metadata = True
    there.add_job(**OURS)
    bare = there.add_job(training_file="file-9")["id"]
    assert [job.id for job in client.find_jobs(provider, "ours", "file-9")] == [bare]


def test_those_that_are_known_to_be_others_are_left_out(db):
    with Unsloth() as there:
        provider = factories.make_provider(base_url=there.base_url, kind="unsloth")
        known, ours = (there.add_job(**OURS)["id"] for _turn in range(2))
        assert found(provider) == [known, ours]
        assert found(provider, known={known}) == [ours]
        assert not any("metadata[op]" in each["query"] for each in there.requests)


def test_among_thousands_only_recent_pages_are_read(there, provider):
    there.ignores_filter = there.drops_metadata = True
    old = there.add_job(**OURS)["id"]
    there.fill(1000)
    assert found(provider) == []
    assert len(there.requests) <= 2 * client.RECENT_PAGES
    assert client.job(provider, old).id == old


def test_a_late_job_is_not_found_yet(there, provider):
    there.list_lag = 60
    there.add_job(**OURS)
    assert found(provider) == []


def test_rows_that_are_no_jobs_are_an_error_of_ours(there, provider):
    for text in ('{"data": [1]}', '{"data": [{"id": null}]}', '{"data": {}}', "[]", "null", '{"data": [{}]}'):
        there.when("GET /fine_tuning/jobs", times=2, text=text)
        with pytest.raises(client.Unreadable):
            found(provider)
