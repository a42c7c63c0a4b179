"""Personal data in a text: e-mail addresses, phone numbers, names of people.

It marks what a person should look at, and cannot promise to find everything. It does not find
- local phone numbers without an area code, and national ones of other countries than the course's;
- addresses written round (anna at example dot org), @handles, passport and account numbers, streets;
- what common.names says that it cannot find.
It cannot tell a learner from Isaac Newton, nor a private address from that of an office.
"""

import re
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from phonenumbers import Leniency, PhoneNumberMatcher

from common import names

MOST = 50
REGIONS = {"ru": ("RU",), "en": ("US", "GB")}


class Kind(TextChoices):
    EMAIL = "email", _("email address")
    PHONE = "phone", _("phone number")
    NAME = "name", _("name of a person")


PLACEHOLDERS = {
    "en": {Kind.EMAIL: "[email]", Kind.PHONE: "[phone]", Kind.NAME: "[name]"},
    "ru": {Kind.EMAIL: "[почта]", Kind.PHONE: "[телефон]", Kind.NAME: "[имя]"},
}


@dataclass(frozen=True)
class Found:
    """`text` stands in the searched text from `start` to `end`, in characters."""

    kind: str
    text: str
    start: int
    end: int


def find(text: str, language: str) -> list[Found]:
    """All of it, in the order of the text, no two overlapping. Takes time in proportion to the text's length."""
    spans = [(*span, Kind.EMAIL.value) for span in emails(text)]
    spans += [(*span, Kind.PHONE.value) for span in phones(text, language)]
    spans += [(*span, Kind.NAME.value) for span in names.find(text)]
    found, last = [], 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= last:
            found.append(Found(kind, text[start:end], start, end))
            last = end
    return found


def kept(text: str, language: str) -> list[dict]:
    """What a row keeps of it: the first MOST, as JSON."""
    return [vars(each) for each in find(text, language)[:MOST]]


def kinds(found: list[dict]) -> list[str]:
    """Which kinds there are, in the order of Kind."""
    there = {each["kind"] for each in found}
    return [kind for kind in Kind.values if kind in there]


def redacted(text: str, language: str) -> str:
    """The text with a placeholder in place of each; the rest as it was. Nothing is found in it any more."""
    words = PLACEHOLDERS.get(language, PLACEHOLDERS["en"])
    while found := find(text, language):
        ends = [0, *(each.end for each in found)]
        before = (text[end : each.start] + words[each.kind] for end, each in zip(ends, found, strict=False))
        text = "".join(before) + text[ends[-1] :]
    return text


def pieces(text: str, found: list[dict], start: int = 0) -> list[tuple[str, str]]:
    """The text cut for a page: (piece, kind or ""). Offsets of `found` count from `start` before the text."""
    cut, place = [], 0
    for each in found:
        first, last = max(each["start"] - start, place), min(each["end"] - start, len(text))
        if first < last:
            cut += [(text[place:first], ""), (text[first:last], Kind(each["kind"]).label)]
            place = last
    return [*cut, (text[place:], "")]


LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?\."
EMAIL = re.compile(
    rf"(?<![\w.+%'’/&=*-])[\w.+%'-]{{1,64}}+@(?:{LABEL}){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})(?!\w)"
)
ADDRESS = re.compile(r"://\S*\Z")


def emails(text):
    """(start, end) of each. The name before the host in an address (ssh://git@host, git@host:path) is none."""
    if "@" not in text:
        return
    for match in EMAIL.finditer(text):
        start, end = match.span()
        start += len(match[0]) - len(match[0].lstrip(".'-+%"))
        remote = text[end : end + 1] == ":" and text[end + 1 : end + 2].strip()
        if text[start] != "@" and not remote and not ADDRESS.search(text, max(0, start - 100), start):
            yield start, end


DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")
RUN = re.compile(r"[+(]{0,2}(?<![\w@/.,$€£₽])\d(?:[ ().\-–‑‐\u00a0\u202f]{0,4}\d){6,}+")
INSIDE = re.compile(r"[\w@/]")
NOT_A_PHONE = re.compile(
    r"(?:isbn|issn|doi|\bid|инн|снилс|огрн|кпп|бик|№|#|order|invoice|ref|sku|артикул|сч[её]т|заказ)\w{0,3}"
    r"[\s:.№#-]{0,4}\Z", re.IGNORECASE
)  # fmt: skip
CALL = re.compile(
    r"(?:\btel|phone|\bcall|\bfax|mobile|\bcell|whatsapp|\bsms|\bтел|звон|\bмоб|\bсот|факс)\w{0,10}[^\w\n]{0,4}"
    r"(?:[а-яa-z]{1,8}[^\w\n]{1,3}){0,2}\Z", re.IGNORECASE
)  # fmt: skip
AMOUNT = re.compile(
    r"\s{0,2}(?:[$€£₽%]|руб|р\.|usd|eur|gbp|tokens?|токен|bytes?|байт|км|km|кг|kg)", re.IGNORECASE
)
MOBILE = re.compile(r"[78]9\d{9}|07\d{9}")
BARE = re.compile(r"[\d \u00a0\u202f]*")
TRUNK = re.compile(r"8\D|0")


def phones(text, language):
    """(start, end) of each: international ones, and national ones that are written as phone numbers are."""
    if not DIGITS.search(text):
        return
    for run in RUN.finditer(text):
        if run.end() - run.start() > 200 or INSIDE.match(text, run.end()):
            continue
        for match in _numbers(run[0], language):
            start, end = run.start() + match.start, run.start() + match.end
            if match.raw_string.startswith("+") or _is_dialled(text, match.raw_string, start, end):
                yield start, end


def _numbers(run, language):
    """Matches of the first region where there are any; the run may hold several numbers."""
    count = sum(map(str.isdigit, run))
    if count < 7 or (count > 15 and "+" not in run and " " not in run):
        return []
    found = list(PhoneNumberMatcher(run, None, Leniency.VALID)) if "+" in run else []
    for region in REGIONS.get(language, ()):
        if not found:
            found = list(PhoneNumberMatcher(run, region, Leniency.STRICT_GROUPING))
    return found


def _is_dialled(text, number, start, end):
    """Whether digits without a + are meant as a phone number: by how they are written or the word before them."""
    before = text[max(0, start - 40) : start]
    if NOT_A_PHONE.search(before) or AMOUNT.match(text, end):
        return False
    if CALL.search(before):
        return True
    if number.isdigit():
        return bool(MOBILE.fullmatch(number))
    return not BARE.fullmatch(number) or bool(TRUNK.match(number))
