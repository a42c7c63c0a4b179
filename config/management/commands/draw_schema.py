from config import drawing, tables
from config.generated import GeneratedFiles

HEAD = """# The tables

Written by `manage.py draw_schema` from the models; `--check` says whether it still holds.

[![All tables in a frame for each app, with their foreign keys as lines](schema.svg)](schema.svg)

Every table has the app's name before its own in the database, such as `{example}`. Types are named without regard \
to the database. A foreign key is indexed; what happens to a row whose target is deleted stands behind its arrow.

"""
BORROWED = """## Tables of the packages

| table | from | what for |
|---|---|---|
| `auth_group`, `auth_group_permissions` | Django | groups of people; a group may hold rights on a course |
| `auth_permission`, `django_content_type` | Django | the names of all permissions; guardian's rows point at them |
| `knox_authtoken` | django-rest-knox | hashes of API tokens, with their owner and last day |
| `django_session`, `django_admin_log`, `django_migrations` | Django | sessions, the admin's own log, applied \
migrations (not in the picture) |
"""


class Command(GeneratedFiles):
    help = "Draw docs/schema.svg and write docs/schema.md from the models."
    command = "draw_schema"

    def files(self):
        own = tables.tables()
        return {
            "docs/schema.svg": drawing.svg(tables.tables((*tables.OWN, *tables.BORROWED))),
            "docs/schema.md": "".join(
                [
                    HEAD.format(example=own[-1].database_name),
                    diagram(own),
                    contents(own),
                    *map(chapter, own),
                    BORROWED,
                ]
            ),
        }


def diagram(own):
    """Who points at whom, as Mermaid."""
    names = {table.label: table.name for table in own}
    lines = [
        f"    {names[column.target]} {_ends(column)} {table.name} : {column.name.removesuffix('_id')}"
        for table in own
        for column in table.columns
        if column.target in names
    ]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```", "", ""])


def _ends(column):
    """One or perhaps one on the left; none, one or many on the right."""
    return ("|o" if column.null else "||") + "--" + ("o|" if column.unique else "o{")


def contents(own):
    by_app = {}
    for table in own:
        by_app.setdefault(table.app, []).append(f"[{table.name}](#{table.name.lower()})")
    return "".join(f"- **{app}**: {', '.join(links)}\n" for app, links in by_app.items()) + "\n"


def chapter(table):
    lines = [f"## {table.name}", "", f"`{table.database_name}`"]
    if table.about:
        lines[-1] += f": {table.about}"
    lines += ["", "| field | type | null | meaning | references |", "|---|---|---|---|---|"]
    lines += [_row(column) for column in table.columns]
    if table.rules:
        lines += ["", "".join(f"- {rule}\n" for rule in table.rules).rstrip()]
    return "\n".join([*lines, "", ""])


def _row(column):
    kind = "primary key" if column.primary else "unique" if column.unique else ""
    name = f"`{column.name}`" + (f" ({kind})" if kind else "")
    null = "yes" if column.null else ""
    return f"| {name} | {column.type} | {null} | {column.meaning} | {_target(column)} |"


def _target(column):
    app, _, name = column.target.partition(".")
    shown = f"[{name}](#{name.lower()})" if app in tables.OWN else name
    return f"{shown}, {column.on_delete}" if name else ""
