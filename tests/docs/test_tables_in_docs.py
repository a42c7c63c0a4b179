"""The tables and diagrams of the documents say what the code says."""

import re

import environ
import pytest

from accounts.roles import MAY, Role
from config.keys import ROOT
from finetuning.states import FINAL, FOLLOWED, INTENDED, MOVES, PROPOSED

DOCS = ROOT / "docs"
GROUPS = {"followed": FOLLOWED, "ended": FINAL}


def test_the_state_diagram_has_the_legal_moves_and_no_other():
    text = (DOCS / "architecture.md").read_text().split("stateDiagram-v2")[1].split("```")[0]
    told = set()
    for source, target in re.findall(r"([\w\[*\]]+) --> ([\w\[*\]]+)", text):
        told |= {
            (one, other) for one in GROUPS.get(source, [source]) for other in GROUPS.get(target, [target])
        }
    edges = {(source, target) for source, targets in MOVES.items() for target in targets}
    assert told == edges | {("[*]", INTENDED), ("[*]", PROPOSED)} | {(state, "[*]") for state in FINAL}


def test_the_table_of_roles_is_the_one_that_holds():
    text = (DOCS / "description.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    told = {
        action: {role for role, cell in zip(Role, cells.split("|"), strict=False) if cell.strip()}
        for action, cells in rows
    }
    assert told == MAY


def test_every_variable_of_the_settings_is_explained():
    """In the table of operations.md, and as a line of .env.example."""
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text()))
    names |= {"SECRET_KEY", "FIELD_KEYS", "COURSETUNE_HOME"}
    cells = re.findall(r"^\| (`[A-Z_]+`[^|]*)\|", (DOCS / "operations.md").read_text(), re.MULTILINE)
    told = set(re.findall(r"`([A-Z_]+)`", " ".join(cells)))
    example = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert names <= told
    assert names - {"COURSETUNE_HOME"} <= example


def test_the_example_of_an_environment_can_be_read(monkeypatch):
    monkeypatch.setattr(environ.Env, "ENVIRON", {})
    environ.Env.read_env(ROOT / ".env.example")
    assert environ.Env.ENVIRON == {}, "everything in it is a comment: copied as it stands it changes nothing"


@pytest.mark.parametrize("page", [*sorted(path.name for path in DOCS.glob("*.md")), "../README.md"])
def test_links_lead_somewhere(page):
    text = (DOCS / page).read_text()
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        file = (DOCS / page).parent / path if path else DOCS / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}, (
                target
            )
