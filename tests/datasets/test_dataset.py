"""A data set and what is built into it from the texts of its course."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry
from common.states import Refused
from datasets.models import Dataset, Example, Generation
from tests import factories
from tests.common.crowd import at_once


@pytest.mark.parametrize(
    "fields", [{"title": ""}, {"title": "x" * 201}, {"title": "x", "instructions": "x" * 8001}]
)
def test_a_data_set_with_a_bad_field_is_not_started(course, owner, fields):
    with pytest.raises(ValidationError):
        Dataset.objects.start(course, by=owner, **fields)
    assert not Dataset.objects.exists()


def test_building_makes_drafts_of_every_text_and_writes_the_run_down(full_course, editor):
    dataset = factories.make_dataset(course=full_course)
    run = dataset.build(by=editor)
    assert run.made == dataset.examples.count() >= 20
    assert {(row.state, row.origin, row.written_by) for row in dataset.examples.all()} == {
        ("draft", "generated", editor)
    }
    entry = AuditEntry.objects.get(action="dataset.build")
    assert (entry.actor, entry.course_id, entry.details) == (editor, full_course.pk, {"made": run.made})


def test_building_again_adds_nothing(full_course):
    dataset = factories.make_dataset(course=full_course)
    first, second = dataset.build(), dataset.build()
    assert (dataset.examples.count(), second.made) == (first.made, 0)
    assert Generation.objects.of(full_course).count() == 2


def test_a_new_text_adds_only_its_own(full_course):
    dataset = factories.make_dataset(course=full_course)
    dataset.build()
    factories.make_text(
        course=full_course, name="oil.md", content="# Oil\n\nRape oil burns without smoke and smell.\n"
    )
    assert dataset.build().made == 1


def test_every_answer_is_cited_verbatim_from_the_text(dataset):
    for example in dataset.examples.all():
        citation = example.citations.get()
        text = citation.passage.text
        assert citation.quote == example.answer == text.content[citation.start : citation.end]
        assert citation.passage.start <= citation.start < citation.passage.end
        assert example.section == citation.passage.section
        assert citation.is_current


def test_a_citation_of_a_text_that_was_replaced_is_no_longer_current(dataset):
    text = factories.make_text(
        course=dataset.course, name="lamp.md", content="# The lamp\n\nIt is electric now, alas.\n"
    )
    stale = [
        citation
        for row in dataset.examples.all()
        for citation in row.citations.all()
        if not citation.is_current
    ]
    assert len(stale) >= 4
    assert {citation.passage.text.source_name for citation in stale} == {text.source_name}


def test_a_course_without_text_says_to_choose_one_that_holds_text(course):
    dataset = factories.make_dataset(course=course)
    with pytest.raises(Refused, match=r"“The lighthouse” holds no text: choose a course that holds text\."):
        dataset.build()
    assert not Generation.objects.exists()


def test_a_course_whose_texts_were_all_removed_holds_no_text(course):
    factories.make_text(course=course).remove()
    with pytest.raises(Refused, match="holds no text"):
        factories.make_dataset(course=course).build()


def test_a_russian_course_is_asked_in_russian(owner):
    course = factories.make_course(owner=owner, language="ru")
    factories.make_text(course=course, content="# Печь\n\nПечь топят берёзовыми дровами трое суток подряд.\n")
    dataset = factories.make_dataset(course=course)
    dataset.build()
    assert dataset.examples.get().question == "Что нужно знать о теме «Печь»?"


@pytest.mark.django_db(transaction=True)
def test_four_builds_at_once_are_one():
    course = factories.make_course()
    factories.make_text(course=course)
    dataset = factories.make_dataset(course=course)
    made = at_once(4, lambda: Dataset.objects.get(pk=dataset.pk).build().made)
    assert sorted(made)[:3] == [0, 0, 0]
    assert Example.objects.count() == max(made) > 0


def test_approving_all_drafts_leaves_a_review_on_each_and_the_others_alone(full_course, reviewer):
    dataset = factories.make_dataset(course=full_course)
    made = dataset.build().made
    rejected = factories.make_example(dataset=dataset, state="rejected")
    assert dataset.approve_drafts(by=reviewer) == made
    assert dataset.approve_drafts(by=reviewer) == 0
    rejected.refresh_from_db()
    assert rejected.state == "rejected"
    for row in dataset.examples.approved():
        review = row.reviews.get()
        assert (review.person, review.decision) == (reviewer, "approved")


def test_counts_come_with_the_list(dataset, django_assert_num_queries):
    factories.make_example(dataset=dataset, state="draft")
    other = factories.make_dataset(course=dataset.course)
    factories.make_version(dataset=dataset)
    with django_assert_num_queries(1):
        newest, first = Dataset.objects.of(dataset.course).with_counts()
    assert (newest.pk, newest.total, newest.approved, newest.frozen) == (other.pk, 0, 0, 0)
    assert (first.total, first.approved, first.frozen) == (dataset.examples.count(), first.total - 1, 1)
