"""Large files that come in parts: kept apart until the upload is complete, and dropped after an hour."""

import hashlib
import shutil
import time

from engine.store import new_id

LIFETIME = 3600  # seconds


class BadParts(Exception):
    """The parts do not make the file that was promised."""


class Uploads:
    def __init__(self, store, files, home):
        self.store, self.files, self.home = store, files, home / "uploads"
        self.home.mkdir(parents=True, exist_ok=True)

    def create(self, **wanted):
        self._sweep()
        with self.store.transaction():
            row = self.store.insert("uploads", "upload_", status="pending", **wanted)
            (self.home / row["id"]).mkdir()
        return self.get(row["id"])

    def get(self, id):
        self._sweep()
        return self.store.get("uploads", id)

    def _sweep(self):
        sql = "SELECT * FROM uploads WHERE status = 'pending' AND created_at < ?"
        for row in self.store.all(sql, int(time.time()) - LIFETIME):
            self._end(row, "expired")

    def size(self, upload):
        """Bytes of all parts so far."""
        sql = "SELECT coalesce(sum(bytes), 0) AS bytes FROM parts WHERE upload = ?"
        return self.store.one(sql, upload["id"])["bytes"]

    def add_part(self, upload, source):
        id = new_id("part_")
        path = self.home / upload["id"] / id
        try:
            with path.open("wb") as target:
                shutil.copyfileobj(source, target)
            return self.store.insert("parts", "", id=id, upload=upload["id"], bytes=path.stat().st_size)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def complete(self, upload, part_ids, md5=None):
        """Join the parts in this order into a file; raises BadParts. False when another caller was first."""
        paths = [self.home / upload["id"] / id for id in part_ids]
        known = {row["id"] for row in self.store.all("SELECT id FROM parts WHERE upload = ?", upload["id"])}
        if len(set(part_ids)) < len(part_ids) or not known >= set(part_ids):
            raise BadParts("Each of 'part_ids' must name a part of this upload, once.")
        with self.files.draft() as (id, whole):
            digest = _join(paths, whole)
            if whole.tell() != upload["bytes"]:
                raise BadParts(f"The parts have {whole.tell()} bytes, not the {upload['bytes']} promised.")
            if md5 and md5.lower() != digest:
                raise BadParts("The md5 checksum of the parts differs from the one given.")
            with self.store.transaction():
                if not self._claim(upload, "completed"):
                    return False
                self.files.enter(id, whole, upload["filename"], upload["purpose"])
                self.store.update("uploads", upload["id"], file=id)
        shutil.rmtree(self.home / upload["id"])
        return True

    def cancel(self, upload):
        """False unless the upload is pending."""
        return self._end(upload, "cancelled")

    def _end(self, upload, status):
        done = self._claim(upload, status)
        if done:
            shutil.rmtree(self.home / upload["id"], ignore_errors=True)
        return done

    def _claim(self, upload, status):
        sql = "UPDATE uploads SET status = ? WHERE id = ? AND status = 'pending'"
        return self.store.execute(sql, status, upload["id"]) == 1


def _join(paths, whole):
    digest = hashlib.md5(usedforsecurity=False)
    for path in paths:
        with path.open("rb") as part:
            while chunk := part.read(2**20):
                digest.update(chunk)
                whole.write(chunk)
    return digest.hexdigest()
