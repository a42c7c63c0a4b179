"""Uploaded files: a row each, and the bytes beside the database."""

import shutil
from contextlib import contextmanager

from engine.store import new_id


class Files:
    def __init__(self, store, home):
        self.store, self.home = store, home
        self._sweep()

    def _sweep(self):
        """Remove what an upload left that was killed in the middle."""
        for path in (self.home / "files").iterdir():
            if path.is_file() and self.get(path.name) is None:
                path.unlink()

    def path(self, id):
        return self.home / "files" / id

    def get(self, id):
        return self.store.get("files", id)

    def add(self, source, filename, purpose):
        """Keep what an open binary file still holds; returns the row."""
        with self.draft() as (id, target):
            shutil.copyfileobj(source, target)
            return self.enter(id, target, filename, purpose)

    @contextmanager
    def draft(self):
        """(id, open file) for the bytes of a file: they go again unless they are entered."""
        id = new_id("file-")
        try:
            with self.path(id).open("w+b") as target:
                yield id, target
        finally:
            if self.get(id) is None:
                self.path(id).unlink(missing_ok=True)

    def enter(self, id, target, filename, purpose):
        target.flush()
        return self.store.insert("files", "", id=id, filename=filename, purpose=purpose, bytes=target.tell())

    def delete(self, id):
        """False when there is no such file."""
        found = self.store.execute("DELETE FROM files WHERE id = ?", id) == 1
        self.path(id).unlink(missing_ok=True)
        return found
