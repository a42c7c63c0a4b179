"""The engine's memory: one SQLite file, shared by the server's threads."""

import json
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager

from engine.errors import not_found

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, filename TEXT, purpose TEXT, bytes INTEGER
);
CREATE TABLE IF NOT EXISTS uploads (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, filename TEXT, purpose TEXT, bytes INTEGER,
    status TEXT, file TEXT
);
CREATE TABLE IF NOT EXISTS parts (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, upload TEXT, bytes INTEGER
);
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, status TEXT, model TEXT,
    training_file TEXT, validation_file TEXT, hyperparameters TEXT, seed INTEGER, suffix TEXT, metadata TEXT,
    method TEXT DEFAULT 'supervised', owner TEXT DEFAULT '', started_at INTEGER DEFAULT 0,
    estimated_finish INTEGER, finished_at INTEGER,
    fine_tuned_model TEXT, trained_tokens INTEGER, result_file TEXT, error TEXT,
    starts INTEGER DEFAULT 0, progress INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, job TEXT, key TEXT,
    level TEXT, type TEXT, message TEXT, data TEXT, UNIQUE (job, key)
);
CREATE TABLE IF NOT EXISTS checkpoints (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, job TEXT, step INTEGER, model TEXT,
    metrics TEXT, UNIQUE (job, step)
);
CREATE TABLE IF NOT EXISTS models (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, base TEXT, job TEXT, folder TEXT
);
"""
# What older files lack.
ADDED = {
    ("jobs", "method"): "TEXT DEFAULT 'supervised'",
    ("jobs", "owner"): "TEXT DEFAULT ''",
    ("jobs", "started_at"): "INTEGER DEFAULT 0",
}
INDEXES = """
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status);
CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, started_at);
"""
JSON_COLUMNS = {"hyperparameters", "metadata", "error", "data", "metrics"}


class Store:
    """Rows are dicts; columns that hold JSON are decoded. Every call is a transaction of its own
    unless it stands inside `with store.transaction()`."""

    def __init__(self, path):
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(SCHEMA)
        self._lock = threading.RLock()
        for (table, column), kind in ADDED.items():
            if column not in {row["name"] for row in self.all(f"PRAGMA table_info({table})")}:
                self.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        self._connection.executescript(INDEXES)

    @contextmanager
    def transaction(self):
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back itself where the disk was full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql, *values):
        """Returns the number of rows changed."""
        with self._lock:
            return self._connection.execute(sql, [_encode(value) for value in values]).rowcount

    def all(self, sql, *values):
        with self._lock:
            return [_decode(row) for row in self._connection.execute(sql, values)]

    def one(self, sql, *values):
        return next(iter(self.all(sql, *values)), None)

    def insert(self, table, prefix, **columns):
        """Add a row with a new id; returns it, or None when a row with its unique key is there already."""
        row = {"id": new_id(prefix), "created_at": int(time.time()), **columns}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        added = self.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", *row.values())
        return row if added else None

    def update(self, table, id, **columns):
        names = ", ".join(f"{name} = ?" for name in columns)
        return self.execute(f"UPDATE {table} SET {names} WHERE id = ?", *columns.values(), id)

    def get(self, table, id):
        return self.one(f"SELECT * FROM {table} WHERE id = ?", id)

    def page(self, table, where="1", values=(), *, after=None, limit=20, ascending=False):
        """(rows, has_more) behind the row whose id is `after`, newest first unless `ascending`."""
        order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        values = list(values)
        if after is not None:
            anchor = self.get(table, after)
            if anchor is None:
                raise not_found(f"No object with id '{after}' to list after.", "after")
            where, values = f"({where}) AND seq {beyond} ?", [*values, anchor["seq"]]
        sql = f"SELECT * FROM {table} WHERE {where} ORDER BY seq {order} LIMIT ?"
        rows = self.all(sql, *values, limit + 1)
        return rows[:limit], len(rows) > limit


def new_id(prefix):
    return f"{prefix}{secrets.token_hex(12)}"


def _encode(value):
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _decode(row):
    return {
        name: json.loads(row[name]) if name in JSON_COLUMNS and row[name] is not None else row[name]
        for name in row.keys()  # noqa: SIM118 - a Row iterates over its values
    }
