"""Names of people in English and Russian text, for those who must not be named in training data.

Rather too few than too many: a capital letter alone is no name. In Latin letters a name is a known first name
before another capitalised word, in Cyrillic two words that a dictionary has as first name, patronymic or surname
and that agree in case and gender, or a surname with initials; in both, what stands behind a title (Dr, г-жа).

It cannot find a first name or a surname by itself, names in capitals, broken over two lines or put the other way
round with a comma (Smith, Anna), initials with a Latin surname, first names and surnames that no list has, names
in other scripts, Russian surnames that are adjectives (Андрей Белый). It takes public and historic people for
people, and a theorem or a street for its person unless a word beside it says so.

The dictionaries are read at the first capitalised pair: 0.1 s once, and about 50 MB of memory in each process.
"""

import logging
import re
import tomllib
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pymorphy3

GAP = r"[ \t\u00a0\u202f]{1,3}"
LATIN = r"(?:Mc|Mac|[OD]['’])?[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,29}(?:-[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,29})?"
RUSSIAN = r"[А-ЯЁ][а-яё]{1,29}(?:-[А-ЯЁ][а-яё]{1,29})?"
TITLE = re.compile(
    rf"((?:\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?|[Pp]rofessor|[Ss]tudent|[Tt]eacher|[Tt]utor|[Ll]ecturer|[Pp]upil)"
    r"|(?<!\w)(?:[Гг]-(?:н|на|ну|ном|не|жа|жи|же|жу|жой)|[Гг]осподин(?:а|у|ом|е)?|[Гг]оспож(?:а|и|е|у|ой)"
    r"|[Пп]роф\.|[Дд]-р|[Пп]рофессор(?:а|у|ом|е)?|[Дд]октор(?:а|у|ом|е)?|[Сс]тудент(?:а|у|ом|е|ка|ки|ке|ку|кой)?"
    r"|[Уу]чени(?:к|ка|ку|ком|ке|ца|цы|це|цу|цей)|[Пп]реподавател(?:ь|я|ю|ем|е|ьница|ьницы|ьнице)|[Дд]оцент(?:а|у|ом|е)?"
    rf"|[Аа]спирант(?:а|у|ом|е|ка|ки|ке|ку)?|[Уу]чител(?:ь|я|ю|ем|е|ьница|ьницы|ьнице))){GAP}\Z"
)
HINT = re.compile(
    rf"[A-ZÀ-ÞА-ЯЁ][a-zà-ÿа-яё]+{GAP}[A-ZÀ-ÞА-ЯЁ]|[А-ЯЁ]\.\s?[А-ЯЁ]|(?:rof|tudent|eacher|utor|ecturer|upil|"
    rf"Mr|Mrs|Ms|Dr)\.?{GAP}[A-ZÀ-Þ]|(?:роф|-[нжр]|оспо|удент|чени|одава|оцент|спира|чител|октор)\S{{0,8}}{GAP}[А-ЯЁ]"
)
WORD = re.compile(rf"(?<![^\W_])(?<![@#/\\])(?:(?:{LATIN}|{RUSSIAN})(?![^\W_]|@)|[А-ЯЁA-Z]\.)")
BETWEEN = re.compile(r"[ \t\u00a0\u202f]{0,3}")
LIKE_SURNAME = re.compile(
    r"(?:[оеё]в|[иы]н|[сц]к|ян|ук|юк|ич)(?:а|у|ым|е|ой|ий|ого|ому|им|ая|ую|ом|ем|ю|я)?$|(?:енко|дзе|швили)$"
)
STRONG = {
    "mr", "mrs", "ms", "miss", "dr", "prof", "г-н", "г-на", "г-ну", "г-ном", "г-не", "г-жа", "г-жи", "г-же", "г-жу",
    "г-жой", "проф", "д-р",
}  # fmt: skip
HEADING = re.compile(r"(?:\A|\n)[ \t]{0,3}#{1,6}[ \t][^\n]*\Z")
NO_PERSON = re.compile(
    r"(?:\b(?:St\.?|Saint|San|Santa|Mount|Lake|Port|Fort|Cape|King|Queen|Pope|Hurricane|Operation|Project)"
    r"|(?<!\w)(?:улиц|ул\.|просп|пр-т|площад|пл\.|имени|им\.|переул|пер\.|набережн|бульвар|станци|метро|город"
    rf"|остров|мыс|посёлк|посёлок|премии|премия|шоссе|проезд)[а-яё]{{0,4}}){GAP}\Z", re.IGNORECASE
)  # fmt: skip
_listed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
STOP, WORDS, SURNAME_WORDS, FROM_RUSSIAN = (
    frozenset(_listed[name].split()) for name in ("stop", "words", "surname_words", "from_russian")
)


class Token(NamedTuple):
    text: str
    start: int
    end: int


def find(text: str) -> list[tuple[int, int]]:
    """(start, end) of each name, without its title; in the order of the text."""
    if not HINT.search(text):
        return []
    return [span for run in _runs(text) for span in _in_run(text, run)]


def _runs(text):
    """Capitalised words and initials that stand side by side, of one script."""
    run = []
    for match in WORD.finditer(text):
        token = Token(match[0], match.start(), match.end())
        if run and not (_is_beside(text, run[-1], token) and len(run) < 200):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _is_beside(text, one, other):
    near = other.start - one.end <= 3 and BETWEEN.fullmatch(text, one.end, other.start)
    return near and _is_russian(one) == _is_russian(other)


def _is_russian(token):
    return token.text[0] >= "Ё"


def _in_run(text, run):
    length_of, place = _russian_length if _is_russian(run[0]) else _english_length, 0
    while place < len(run):
        first = run[place]
        title = TITLE.search(text, max(0, first.start - 20), first.start)
        if not title and place == len(run) - 1:
            return
        title = title[1].lower().rstrip(".") if title else ""
        length = length_of(text, run[place : place + 4], title)
        if length and not NO_PERSON.search(text, max(0, first.start - 14), first.start):
            yield first.start, run[place + length - 1].end
        place += length or 1


def _english_length(text, run, title):
    """How many words from the first on are a name."""
    first = run[0].text.lower()
    if len(first) < 3 or (first in STOP and first not in WORDS):
        return 0
    if title and first not in STOP and (title in STRONG or _is_first(first) or first in surnames()):
        return 1 + _followers(run[1:])
    if not _is_first(first):
        return 0
    is_weak = first in WORDS or first.split("-")[0] not in common_first_names()
    more = _followers(run[1:], is_weak or _in_heading(text, run[0].start))
    return more and 1 + more


def _in_heading(text, start):
    return bool(HEADING.search(text, max(0, start - 200), start))


def _followers(run, need_surname=False):
    """How many of the words behind a first name belong to it: initials, a further first name, the surname."""
    count = 0
    for place, token in enumerate(run, 1):
        word = token.text.lower()
        if len(word) == 2:
            continue
        if word in STOP:
            return 0
        if count == 0 and need_surname and (word not in surnames() or word in SURNAME_WORDS):
            return 0
        if count and not (_is_first(word) or word in surnames()):
            break
        count = place
    return count


def _is_first(word):
    word = word.split("-")[0]
    return word in common_first_names() or word in first_names() or word in WORDS


def _names(locale, kind):
    provider = import_module(f"faker.providers.person.{locale}").Provider
    return {name.lower() for name in getattr(provider, kind)}


@cache
def common_first_names() -> frozenset:
    """Those of the United States and Britain, and of Russia in Latin letters."""
    return FROM_RUSSIAN | _names("en_US", "first_names") | _names("en_GB", "first_names")


@cache
def first_names() -> frozenset:
    """Rarer ones, which need a known surname behind them."""
    return frozenset().union(*(_names(locale, "first_names") for locale in ("en", "en_IE", "en_IN")))


@cache
def surnames() -> frozenset:
    return frozenset().union(*(_names(locale, "last_names") for locale in ("en_US", "en_GB", "en_IN", "en")))


class Reading(NamedTuple):
    """What a Russian word may be: {(case, gender)} as a first name, patronymic and surname; or a noun."""

    first: frozenset
    patronymic: frozenset
    surname: frozenset
    is_thing: bool

    @property
    def is_person(self):
        return bool(self.first or self.patronymic or self.surname)


@cache
def morphology():
    logging.getLogger("pymorphy3").setLevel(logging.WARNING)
    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(maxsize=20_000)
def reading(word: str) -> Reading:
    """A word that the dictionary lacks is at most a surname, and only if it ends like one."""
    forms, known = {"Name": set(), "Patr": set(), "Surn": set()}, morphology().word_is_known(word)
    tags = [parse.tag for parse in morphology().parse(word)] if known or LIKE_SURNAME.search(word) else []
    for tag in tags:
        for kind in forms:
            if kind in tag and (known or kind == "Surn") and tag.number != "plur" and "Init" not in tag:
                either = tag.gender is None or "ms-f" in tag
                genders = ("masc", "femn") if either else (tag.gender,)
                forms[kind].update((tag.case, gender) for gender in genders)
    is_thing = known and any("NOUN" in tag for tag in tags)
    return Reading(*map(frozenset, forms.values()), is_thing)


def _russian_length(_text, run, title):
    """How many words from the first on are a name."""
    first = reading(run[0].text)
    if len(run[0].text) > 2 and not first.is_person:
        return int(title in STRONG and not first.is_thing)
    for length in (4, 3, 2):
        if len(run) >= length and _is_russian_name(run[:length]):
            return length
    return int(bool(title) and first.is_person)


def _is_russian_name(run):
    """First name with patronymic, surname or both, in any usual order; or a surname with initials."""
    initials = [token for token in run if len(token.text) == 2]
    words = [reading(token.text) for token in run if len(token.text) > 2]
    if initials:
        outside = len(run[0].text) == 2 or len(run[-1].text) == 2
        return len(words) == 1 and len(initials) <= 2 and outside and bool(words[0].surname)
    return any(_agree(words, order) for order in ORDERS if len(order) == len(words))


ORDERS = [
    ("surname", "first", "patronymic"), ("first", "patronymic", "surname"), ("first", "patronymic"),
    ("first", "surname"), ("surname", "first"),
]  # fmt: skip


def _agree(words, order):
    forms = [getattr(word, kind) for word, kind in zip(words, order, strict=True)]
    return bool(frozenset.intersection(*forms))
