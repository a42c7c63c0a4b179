"""The files that commands write are what the code says today."""

import json
import re
from itertools import combinations, pairwise

import pytest
from django.core.management import CommandError, call_command

from config import drawing, postman, tables

PLACES = re.compile(r'<rect class="(\w+)[^"]*" x="([\d.]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"')


@pytest.mark.parametrize("command", ["draw_schema", "make_postman"])
def test_the_files_are_up_to_date(command):
    call_command(command, check=True)


@pytest.mark.parametrize("command", ["draw_schema", "make_postman"])
def test_a_check_refuses_where_a_file_is_missing_and_writes_nothing(command, tmp_path, monkeypatch):
    monkeypatch.setattr("config.generated.ROOT", tmp_path)
    with pytest.raises(CommandError, match=f"out of date: run manage.py {command}"):
        call_command(command, check=True)
    assert not list(tmp_path.iterdir())


def test_written_twice_they_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("config.generated.ROOT", tmp_path)
    written = []
    for _turn in range(2):
        call_command("draw_schema", verbosity=0)
        call_command("make_postman", verbosity=0)
        written.append({path.name: path.read_bytes() for path in tmp_path.rglob("*.*")})
    assert len(written[0]) == 4
    assert written[0] == written[1]


@pytest.fixture(scope="module")
def all_tables():
    return tables.tables((*tables.OWN, *tables.BORROWED))


@pytest.mark.parametrize("kind", ["box", "frame"])
def test_in_the_picture_no_two_boxes_overlap(all_tables, kind):
    places = [
        tuple(map(float, found[1:])) for found in PLACES.findall(drawing.svg(all_tables)) if found[0] == kind
    ]
    assert places
    for (x, y, width, height), (u, v, wide, high) in combinations(places, 2):
        assert x + width <= u or u + wide <= x or y + height <= v or v + high <= y


def test_the_picture_holds_every_table_and_every_foreign_key(all_tables):
    drawn = drawing.Drawing(all_tables)
    keys = [column for table in all_tables for column in table.columns if column.target]
    assert set(drawn.boxes) == {table.label for table in all_tables}
    assert len(drawn.lines) == len(keys)


def test_lines_bend_beside_the_boxes_and_never_run_through_one(all_tables):
    drawn = drawing.Drawing(all_tables)
    for line in drawn.lines:
        corners = drawn.path(line)
        for (x, y), (u, v) in pairwise(corners):
            for box in drawn.boxes.values():
                apart_x = max(x, u) <= box.x or min(x, u) >= box.x + drawing.WIDTH
                apart_y = max(y, v) <= box.y or min(y, v) >= box.y + box.height
                assert apart_x or apart_y, (line.source.table.label, line.target.table.label, box.table.label)


def test_foreign_keys_point_up_the_house_or_stay_in_their_app(all_tables):
    """But for what a person serves and where a token reaches: those name the course by a string."""
    down = [line for line in drawing.Drawing(all_tables).lines if line.target.column > line.source.column]
    assert {(line.source.table.label, line.target.table.label) for line in down} == {
        ("accounts.User", "courses.Course"), ("accounts.Token_courses", "courses.Course"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def collection():
    return json.loads(postman.collection())


def requests_of(collection):
    return [item for folder in collection["item"] for item in folder["item"]]


def test_the_collection_holds_every_operation_once(collection):
    assert len(requests_of(collection)) == len(postman.operations())
    names = [item["name"] for item in requests_of(collection)]
    assert len(set(names)) == len(names), "a request repeats itself by its name"


def test_an_endpoint_that_is_not_placed_is_named(monkeypatch):
    monkeypatch.delitem(postman.WALK, "8 Undo")
    with pytest.raises(postman.NotPlaced, match="DELETE /api/tokens/"):
        postman.collection()


def test_every_variable_is_kept_before_it_is_used(collection):
    known = set(postman.ENVIRONMENT)
    for item in requests_of(collection):
        used = set(re.findall(r"\{\{(\w+)\}\}", json.dumps(item["request"])))
        assert used <= known, item["name"]
        known |= set(re.findall(r'environment\.set\("(\w+)"', "".join(item["event"][0]["script"]["exec"])))


def test_the_files_that_it_sends_are_there(collection):
    for item in requests_of(collection):
        for part in item["request"].get("body", {}).get("formdata", []):
            assert (postman.ROOT / part["src"]).is_file()
