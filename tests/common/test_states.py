"""A move is one conditional UPDATE: of two callers at once, one wins."""

import pytest

from common.states import IllegalMove
from datasets.models import Example
from tests import factories
from tests.common.crowd import at_once


@pytest.fixture
def draft(db):
    return factories.make_example(dataset=factories.make_dataset(), state="draft")


def test_a_legal_move_changes_the_state_and_writes_it_down(draft, reviewer):
    draft.approve(by=reviewer, note="well said")
    assert draft.state == Example.objects.get(pk=draft.pk).state == "approved"
    review = draft.reviews.get()
    assert (review.person, review.decision, review.note) == (reviewer, "approved", "well said")


def test_an_illegal_move_changes_nothing_and_says_where_the_row_stands(draft):
    draft.approve()
    with pytest.raises(IllegalMove, match="approved"):
        draft.approve()
    assert draft.reviews.count() == 1


def test_a_row_that_another_has_moved_meanwhile_is_seen_as_it_is_now(draft):
    stale = Example.objects.get(pk=draft.pk)
    draft.approve()
    with pytest.raises(IllegalMove):
        stale.approve()
    assert stale.state == "approved"


@pytest.mark.django_db(transaction=True)
def test_of_eight_callers_at_once_one_wins():
    draft = factories.make_example(dataset=factories.make_dataset(), state="draft")

    def approve():
        try:
            Example.objects.get(pk=draft.pk).approve()
        except IllegalMove:
            return "refused"
        return "approved"

    outcomes = at_once(8, approve)
    assert sorted(outcomes) == ["approved"] + ["refused"] * 7
    assert draft.reviews.count() == 1
