"""Translations without GNU gettext: strings out of Python and templates into .po, .po into .mo."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, extract, mofile, pofile
from django.utils.translation.template import templatize

from config.keys import ROOT

APPS = (
    "accounts",
    "assistants",
    "common",
    "config",
    "courses",
    "datasets",
    "evaluation",
    "finetuning",
    "providers",
)
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "now_": None,
    "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip


def po_file(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def source() -> Catalog:
    """Every string for people, with the places where it stands."""
    catalog = Catalog()
    for path, code in _files():
        for line, text, _comments, context in extract.extract("python", BytesIO(code.encode()), KEYWORDS):
            catalog.add(text, locations=[(str(path.relative_to(ROOT)), line)], context=context)
    return catalog


def _files() -> Iterator[tuple[Path, str]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()
    pages = [path for ending in ("html", "txt") for path in (ROOT / "templates").rglob(f"*.{ending}")]
    for path in sorted(pages):
        yield path, templatize(path.read_text(), origin=str(path))


def translated(language: str) -> Catalog:
    """The .po file as it stands; empty where there is none."""
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


def update(language: str) -> Catalog:
    """Bring the .po file up to the sources, keep what is translated, and compile it."""
    catalog = translated(language)
    catalog.update(source(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        pofile.write_po(file, catalog, width=0, sort_output=True, omit_header=False, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    mofile.write_mo(file, catalog)
    return file.getvalue()


def problems(language: str) -> list[str]:
    """Strings without a translation, and a .mo file that is not what the .po file says."""
    catalog = translated(language)
    known = {(message.id, message.context): message for message in catalog if message.id}
    found = []
    for message in source():
        told = known.get((message.id, message.context))
        if message.id and (told is None or not _whole(told.string)):
            found.append(f"{language}: not translated: {message.id!r} ({message.locations[0][0]})")
    mo = po_file(language).with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != compiled(catalog):
        found.append(f"{mo.relative_to(ROOT)} is not what the .po file says: run manage.py messages")
    return found


def _whole(string):
    return all(string) if isinstance(string, (tuple, list)) else bool(string)
