"""docs/permissions.md is true: every address, every kind of person, every method."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from tests.accounts.matrix import PEOPLE, expected, folded, read_table, routes, told, wildcard
from tests.accounts.world import MARKER, World

SEE_ALL = {"owner of B", "staff", "superuser"}
OF_THE_SITE = ("/admin/", "/sign-", "/language/", "/api/schema/", "/api/docs/")


@pytest.fixture
def world(db):
    return World()


CELLS = []


def cells(world):
    """(method, address) of everything that the product answers to; found out once, with many a request."""
    if not CELLS:
        for address, callback in routes().items():
            CELLS.extend((method, address) for method in world.methods(address, callback))
    return CELLS


def test_the_table_has_a_row_for_every_address_and_method_and_none_for_what_is_gone(world):
    listed, there = set(read_table()), set(cells(world))
    assert {
        (method, address) for method, address in there if not expected(read_table(), method, address)
    } == set()
    known = there | {(method, wildcard(address)) for method, address in there}
    assert listed - known == set()


@pytest.mark.parametrize("person", PEOPLE)
def test_every_cell_of_the_table(world, person):
    table, wrong = read_table(), []
    for method, address in cells(world):
        answer = world.call(person, method, address)
        said, meant = told(answer), (expected(table, method, address) or {}).get(person)
        if said != meant:
            wrong.append(f"{method} {address} as {person}: {said}, the table says {meant}")
        if person not in SEE_ALL and MARKER in answer.said.lower():
            wrong.append(f"{method} {address} as {person}: tells of course B")
    assert wrong == []


@pytest.mark.parametrize("person", [name for name in PEOPLE if name not in SEE_ALL])
def test_an_object_of_another_course_is_not_there(world, person):
    table, wrong = read_table(), []
    for method, address in cells(world):
        if "<" not in address or address.startswith(OF_THE_SITE) or "/join/" in address:
            continue
        answer = world.call(person, method, address, side=world.b)
        closed = told(answer) == expected(table, method, address)[person] == "403"  # whatever the object
        if told(answer) not in ("sign in", "401", "404") and not closed:
            wrong.append(f"{method} {address} as {person}: {told(answer)}")
        if MARKER in answer.said.lower():
            wrong.append(f"{method} {address} as {person}: tells of course B")
    assert wrong == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_a_page_takes_no_other_method(world, method):
    """What a page does not know, it refuses or answers as it answers GET: nothing is changed by it."""
    for address in routes():
        if address.startswith(("/api/", "/admin/")):
            continue
        usual = told(world.call("owner of A", "GET", address))
        assert told(world.call("owner of A", method, address)) in ("405", usual, "400"), f"{method} {address}"


def test_a_method_in_a_header_is_not_listened_to(world):
    client = world.clients["owner of A"][1]
    address = world.path("/api/texts/<pk>/")
    for header in ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD"):
        assert client.get(address, **{header: "DELETE"}).status_code == 200
        assert (
            client.post(address, {"_method": "DELETE"}, format="json", **{header: "DELETE"}).status_code
            == 405
        )


def test_the_schema_tells_of_every_endpoint(world):
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    documented = {
        (name.upper(), path) for path, calls in paths.items() for name in calls if name != "parameters"
    }
    there = {
        (method, address.replace("<", "{").replace(">", "}"))
        for method, address in cells(world)
        if address.startswith("/api/") and not address.startswith(("/api/schema/", "/api/docs/"))
    }
    assert {path_without_names(row) for row in documented} == {path_without_names(row) for row in there}


def path_without_names(row):
    method, path = row
    return method, "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def test_queries_do_not_grow_with_the_rows(world):
    """Each page and each list of the API, asked by the owner before and after course A has grown."""
    wanted = [
        address for method, address in cells(world) if method == "GET" and not address.startswith("/admin/")
    ]
    before = {address: queries(world, address) for address in wanted}
    world.grow()
    grown = {address: (before[address], queries(world, address)) for address in wanted}
    assert {address: pair for address, pair in grown.items() if pair[1] > pair[0]} == {}


def queries(world, address):
    with CaptureQueriesContext(connection) as seen:
        world.call("owner of A", "GET", address)
    return len(seen)


def test_a_model_of_the_admin_has_its_own_row_only_where_it_differs(world):
    seen = {("GET", "/admin/a/b/add/"): {"staff": "403"}, ("GET", "/admin/a/c/add/"): {"staff": "403"},
            ("GET", "/admin/a/d/add/"): {"staff": "200"}}  # fmt: skip
    assert folded(seen) == {
        ("GET", "/admin/…/add/"): {"staff": "403"}, ("GET", "/admin/a/d/add/"): {"staff": "200"},
    }  # fmt: skip
    assert User.objects.filter(is_active=False).count() == 1
