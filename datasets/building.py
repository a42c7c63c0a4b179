"""Question and answer pairs cut from a text without any model: each answer is a verbatim piece of it."""

import re
from dataclasses import dataclass

from courses import sectioning

DEFINITION = re.compile(
    r"(?:[-*+] +)?\*\*(?P<term>[^*\n]{2,80}?)[:.]?\*\*\s*(?:[:.—–-]\s*)?(?P<body>\S.*)\Z", re.DOTALL
)
LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)]) +\S")
LEAD = re.compile(r".*:[ \t]*\Z", re.DOTALL)
SHORTEST, LONGEST = 20, 2000

ASK = {
    "en": {
        "heading": ("What should I know about “{0}”?", "Tell me about “{0}”.", "What does the course say about “{0}”?"),
        "definition": ("What is “{0}”?", "What does “{0}” mean?", "Explain the term “{0}”."),
        "list": ("Take me through “{0}” point by point.", "List what belongs to “{0}”."),
    },
    "ru": {
        "heading": ("Что нужно знать о теме «{0}»?", "Расскажи о теме «{0}».", "Чему курс учит в теме «{0}»?"),
        "definition": ("Что такое «{0}»?", "Что значит «{0}»?", "Объясни понятие «{0}»."),
        "list": ("Расскажи по пунктам: «{0}».", "Перечисли, что относится к теме «{0}»."),
    },
}  # fmt: skip


@dataclass
class Pair:
    """`start` and `end` are the answer's offsets in the text, in characters."""

    question: str
    answer: str
    start: int
    end: int


def pairs(text: str, title: str, language: str) -> list[Pair]:
    """Every definition, list and headed paragraph of the text as a pair, in the order of the text."""
    ask, found, prose = ASK.get(language, ASK["en"]), [], sectioning.prose(text)
    for part in sectioning.headings(text, title):
        spoken_for = False
        for start, end in _blocks(prose, part.start, part.end):
            kind, subject, begin = _kind(prose, start, end, part.title, spoken_for)
            if kind is None or not SHORTEST <= end - begin <= LONGEST or prose[begin:end] != text[begin:end]:
                continue
            spoken_for = spoken_for or kind != "definition"
            question = subject if kind == "question" else _ask(ask[kind], subject, len(found))
            found.append(Pair(question, text[begin:end], begin, end))
    return found


def _ask(phrasings, subject, turn):
    return phrasings[turn % len(phrasings)].format(subject)


def _kind(text, start, end, title, spoken_for):
    """(kind, subject, where the answer begins) of a block; kind None where it answers nothing by itself."""
    block = text[start:end]
    term = DEFINITION.match(block)
    if term and not LIST_ITEM.match(term["body"]):
        return "definition", term["term"].strip(), start + term.start("body")
    if spoken_for:
        return None, "", start
    if title.endswith("?"):
        return "question", title, start
    return (
        ("list" if "\n" in block and LIST_ITEM.search(block, block.index("\n")) else "heading"),
        title,
        start,
    )


def _blocks(text, start, end):
    """Paragraphs; a lead-in that ends with a colon takes the list after it, a list of definitions falls apart."""
    lead = None
    for first, last in sectioning.paragraphs(text, start, end):
        block = text[first:last]
        if lead is not None and LIST_ITEM.match(block):
            yield lead, last
            lead = None
            continue
        if lead is not None:
            lead = None
        lines = block.split("\n")
        if len(lines) > 1 and all(DEFINITION.match(line) for line in lines):
            for line in lines:
                yield first, first + len(line)
                first += len(line) + 1
        elif LEAD.match(block) and "\n" not in block:
            lead = first
        else:
            yield first, last
