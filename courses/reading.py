"""Bytes of a file into text, or a refusal that names the file and what to do."""

import re
import unicodedata
from pathlib import PurePath

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from common.states import Refused

KINDS = {".md": "markdown", ".markdown": "markdown", ".txt": "plain"}
OLD_RUSSIAN = {"cp1251": "Windows-1251", "koi8_r": "KOI8-R", "cp866": "DOS-866"}
LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"  # of Russian, the commonest first
WORD = re.compile(r"[^\W\d_]+")
RUSSIAN = re.compile(r"[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def kind_of(name: str) -> str:
    kind = KINDS.get(PurePath(name).suffix.lower())
    if not kind:
        raise Refused(
            _("%(file)s: only .md and .txt files can be read. Save it as one of these.") % {"file": name}
        )
    return kind


def check_size(name: str, size: int):
    if size > settings.MAX_TEXT_BYTES:
        raise Refused(
            _("%(file)s: %(size)s is over the limit of %(limit)s for one text. Split it by chapter.")
            % {
                "file": name,
                "size": filesizeformat(size),
                "limit": filesizeformat(settings.MAX_TEXT_BYTES),
            }
        )


def read(name: str, data: bytes) -> str:
    """The file's text with `\\n` line ends; UTF-8, UTF-16 with its mark, or an old Russian code page."""
    check_size(name, len(data))
    if not data.strip(b" \t\r\n\xef\xbb\xbf\x00"):
        raise Refused(_("%(file)s is empty.") % {"file": name})
    text = _decode(name, data).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    found = CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise Refused(
            _("%(file)s, line %(line)s: a control character stands there. This is not a text file.")
            % {"file": name, "line": line}
        )
    if not any(unicodedata.category(character)[0] in "LN" for character in text):
        raise Refused(_("%(file)s holds no letters.") % {"file": name})
    return text


def _decode(name, data):
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16"
    elif b"\x00" in data[:8192]:
        raise Refused(_("%(file)s is not a text file, whatever its name says.") % {"file": name})
    else:
        codec = "utf-8"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        return _decode_old(name, data, error.start)


def _decode_old(name, data, place):
    """Old Russian files carry no mark: the page in which it reads most like Russian wins, by far or not at all."""
    sample = data[:65536]
    ranked = sorted(((_russian(sample, codec), codec) for codec in OLD_RUSSIAN), reverse=True)
    (best, codec), (second, _other) = ranked[:2]
    if best < 0.5 or best - second < 0.15:
        line = data.count(b"\n", 0, place) + 1
        raise Refused(
            _("%(file)s, line %(line)s: not UTF-8, and its encoding cannot be told. Save it as UTF-8.")
            % {"file": name, "line": line}
        )
    return data.decode(codec, errors="strict" if codec != "cp1251" else "replace")


def _russian(sample, codec):
    """How much of what is not ASCII stands in Russian words, weighted by how common its letters are; 0 to 1."""
    text = sample.decode(codec, errors="replace")
    high = sum(character > "\x7f" for character in text)
    return sum(map(_worth, WORD.findall(text))) / high if high else 0


def _worth(word):
    """Of the wrong page come rare letters, words in capitals, and words half Latin."""
    if not RUSSIAN.fullmatch(word):
        return 0
    worth = sum(1 - LETTERS.index(letter) / len(LETTERS) for letter in word.lower())
    return worth * 0.85 if len(word) > 1 and word.isupper() else worth
