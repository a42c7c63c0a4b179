"""An address that is not there, and a fault of ours: JSON to programs, a page to people."""

import pytest
from django.test import RequestFactory

from config import errors
from tests.doors import api, pages


@pytest.mark.parametrize("address", ["/api/nothing/", "/api/courses/x/", "/api/courses/99999/", "/api/"])
def test_a_program_is_told_in_json_that_nothing_is_there(owner, address):
    answer = api(owner).get(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["detail"]


def test_an_openai_client_is_told_in_its_own_shape(owner):
    answer = api(owner).get("/api/v1/nothing")
    assert answer.status_code == 404 and answer.json()["error"]["type"] == "invalid_request_error"


def test_a_person_gets_a_page(owner):
    answer = pages(owner).get("/nothing/")
    assert answer.status_code == 404 and "<h1>Nothing here</h1>" in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "kind"),
    [("/api/me/", "application/json"), ("/api/v1/models", "application/json"), ("/", "text/html")],
)
def test_a_fault_of_ours_says_nothing_of_how_we_are_built(address, kind):
    answer = errors.broken(RequestFactory().get(address))
    assert answer.status_code == 500 and answer["Content-Type"].startswith(kind)
    assert b"Traceback" not in answer.content
