"""Every address x eleven kinds of people x every method: what docs/permissions.md says, and what the product answers.

`python -m tests.accounts.matrix` writes the table anew; read the difference before you commit it.
"""

import os
import re
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

TABLE = Path(__file__).parents[2] / "docs" / "permissions.md"
PEOPLE = [
    "anonymous", "inactive", "no role", "student", "reviewer", "editor", "owner of A", "owner of B",
    "token of A", "staff", "superuser",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ADMIN = re.compile(r"admin/\w+/\w+/")


def routes():
    """{address as people read it: callback} of the whole URL tree."""
    from django.urls import get_resolver

    found = {}

    def walk(patterns, lead):
        for each in patterns:
            address = lead + readable(str(each.pattern))
            if hasattr(each, "url_patterns"):
                walk(each.url_patterns, address)
            else:
                found[f"/{address}"] = each.callback

    walk(get_resolver().url_patterns, "")
    return found


def readable(pattern):
    pattern = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)
    return re.sub(r"<\w+:(\w+)>", r"<\1>", pattern).strip("^$").replace("\\Z", "").replace("\\", "")


def wildcard(address):
    """The admin has the same addresses for every model: one row stands for all, unless a model has its own."""
    return ADMIN.sub("admin/…/", address)


def read_table():
    """{(method, address): {person: answer}} as the document says."""
    rows = {}
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == len(PEOPLE) + 2 and cells[0] in METHODS:
            rows[cells[0], cells[1]] = dict(zip(PEOPLE, cells[2:], strict=True))
    return rows


def expected(table, method, address):
    return table.get((method, address)) or table.get((method, wildcard(address)))


def methods_of(callback):
    """What a view says it answers to; None where it does not say."""
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    return [name for name in METHODS if hasattr(view, name.lower())] if view else None


def told(answer):
    """An answer in one word: its status, or that it leads to the sign-in."""
    place = answer.headers.get("Location", "")
    leads_in = answer.status_code == 302 and place.startswith(("/sign-in/", "/admin/login/"))
    return "sign in" if leads_in else str(answer.status_code)


HEAD = """# Who may call what

Each address of the product, and what it answers to eleven kinds of people: the status, or “sign in” where it leads
to the sign-in page. A test calls every cell, fails for an address that is not here, and looks that nothing of the
other course is in any answer. “Token of A” is a token limited to course A whose owner owns B as well; pages do not
take tokens. Objects are those of course A: with an object of course B in its place everybody but its owner, staff and
superusers gets 404. After a change: `python -m tests.accounts.matrix`, then read the difference.
"""


def write_table(seen):
    """`seen` is {(method, address): {person: answer}}."""
    parts = {"API": "/api/", "Admin": "/admin/", "Pages": "/"}
    sections = {name: [] for name in parts}
    for (method, address), answers in sorted(
        seen.items(), key=lambda row: (row[0][1], METHODS.index(row[0][0]))
    ):
        name = next(name for name, lead in parts.items() if address.startswith(lead))
        cells = " | ".join(answers[person] for person in PEOPLE)
        sections[name].append(f"| {method} | `{address}` | {cells} |")
    text = HEAD
    for name in ("Pages", "API", "Admin"):
        text += f"\n## {name}\n\n| | address | {' | '.join(PEOPLE)} |\n|{'---|' * (len(PEOPLE) + 2)}\n"
        text += "\n".join(sections[name]) + "\n"
    TABLE.write_text(text)


def main():
    import django

    django.setup()
    from django.db import transaction
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from tests.accounts.world import World

    setup_test_environment()
    kept = setup_databases(verbosity=0, interactive=False)
    try:
        with transaction.atomic():
            write_table(observed(World()))
            transaction.set_rollback(True)
    finally:
        teardown_databases(kept, verbosity=0)


def observed(world):
    """What the product answers, in the form of the table: a model's own row only where it differs from the rest."""
    seen = {}
    for address, callback in routes().items():
        for method in world.methods(address, callback):
            seen[method, address] = {person: told(world.call(person, method, address)) for person in PEOPLE}
    return folded(seen)


def folded(seen):
    groups = {}
    for (method, address), row in seen.items():
        groups.setdefault((method, wildcard(address)), []).append(tuple(row.items()))
    usual = {key: max(rows, key=rows.count) for key, rows in groups.items()}
    kept = {key: dict(row) for key, row in usual.items()}
    for (method, address), row in seen.items():
        if tuple(row.items()) != usual[method, wildcard(address)]:
            kept[method, address] = row
    return kept


if __name__ == "__main__":
    main()
