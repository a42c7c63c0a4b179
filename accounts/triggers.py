"""The database itself refuses to change or delete what stands in the audit trail."""

TABLE = "accounts_auditentry"
SAID = "the audit trail is append-only"

INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER IF NOT EXISTS audit_no_{act.lower()} BEFORE {act} ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAID}'; END $$",
        f"CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_no_{act}" for act in ("update", "delete")],
    "postgresql": [f"DROP TRIGGER IF EXISTS audit_append_only ON {TABLE}"],
}


def install(connection):
    """SQLite loses triggers when a migration builds a table anew, so this comes after every migration."""
    _run(connection, INSTALL)


def remove(connection):
    _run(connection, REMOVE)


def _run(connection, statements):
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)
