"""Secrets of the embedded mode: made once, kept in files that only their owner reads."""

import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("COURSETUNE_HOME") or ROOT / "var").resolve()


def home() -> Path:
    """The folder of everything that belongs to this installation, closed to others."""
    VAR.mkdir(parents=True, exist_ok=True)
    VAR.chmod(0o700)
    return VAR


def key(name: str, size: int = 32) -> str:
    """The secret kept in VAR/name: `size` random bytes in URL-safe base64 (of 32 bytes, a Fernet key).

    Of several processes that ask at once for a new one, all get the same.
    """
    path = VAR / name
    if not path.exists():
        with NamedTemporaryFile("w", dir=home()) as draft:
            draft.write(urlsafe_b64encode(secrets.token_bytes(size)).decode())
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text().strip()
