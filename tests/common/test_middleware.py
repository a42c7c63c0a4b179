"""Every page carries the policy; a refusal on a page says what is wrong and keeps its status."""

import pytest

from common.middleware import POLICY
from tests import factories
from tests.doors import api, pages


@pytest.mark.parametrize("address", ["/sign-in/", "/nowhere/", "/static/nothing.js", "/admin/login/"])
def test_every_answer_carries_the_policy(db, address):
    assert pages().get(address)["Content-Security-Policy"] == POLICY


def test_the_policy_lets_no_inline_script_nor_foreign_source_in():
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert "http" not in POLICY and "*" not in POLICY


def test_an_answer_of_the_api_carries_it_too(owner):
    assert api(owner).get("/api/me/")["Content-Security-Policy"] == POLICY


def test_what_cannot_be_done_is_400_on_a_page(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    answer = pages(owner).post(f"/datasets/{dataset.pk}/build/", HTTP_REFERER=f"/datasets/{dataset.pk}/")
    assert answer.status_code == 400
    assert "choose a course that holds text" in answer.content.decode()


def test_an_illegal_move_is_409_on_a_page(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    example = factories.make_example(dataset=dataset, state="approved")
    answer = pages(owner).post(f"/examples/{example.pk}/approve/")
    assert answer.status_code == 409


def test_a_bad_value_is_400_on_a_page(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    words = {"question": "When is the lamp lit?", "answer": "Before sunset."}
    factories.make_example(dataset=dataset, **words)
    answer = pages(owner).post(f"/datasets/{dataset.pk}/examples/new/", words)
    assert answer.status_code == 400
    assert "in this data set already" in answer.content.decode()


@pytest.mark.parametrize("back", ["javascript:alert(1)", "https://evil.example/", "//evil.example/"])
def test_the_way_back_never_leads_elsewhere(owner, back):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    answer = pages(owner).post(f"/datasets/{dataset.pk}/build/", HTTP_REFERER=back)
    assert back not in answer.content.decode()
