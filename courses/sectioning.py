"""A text into its headings and passages, with offsets into the text as it is kept."""

import re
from dataclasses import dataclass

from common.tokens import count

HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
FENCE = re.compile(r"^ {0,3}(```|~~~)")
PARAGRAPH = re.compile(r"\S(?:.*?\S)?(?=\s*\n[ \t]*\n|\s*\Z)", re.DOTALL)
PASSAGE_TOKENS = 400
LONGEST = 4000


@dataclass
class Cut:
    """One heading with what stands under it up to the next: offsets of the body, in characters."""

    title: str
    level: int
    start: int
    end: int


def headings(text: str, title: str) -> list[Cut]:
    """The text as a run of headed parts; what comes before the first heading stands under `title`."""
    cuts, fenced, place = [Cut(title, 1, 0, len(text))], False, 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        length = len(line)
        if FENCE.match(line):
            fenced = not fenced
        found = None if fenced else HEADING.match(line.rstrip("\n"))
        if found:
            cuts[-1].end = place
            cuts.append(Cut(found[2].strip()[:200], len(found[1]), place + length, len(text)))
        place += length
    first = cuts[0]
    if len(cuts) > 1 and not text[first.start : first.end].strip():
        del cuts[0]
    return cuts


def passages(text: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """(start, end, tokens) of the paragraphs between two offsets, packed up to PASSAGE_TOKENS together.

    A paragraph is broken only where it alone is longer than LONGEST characters.
    """
    packed = []
    for first, last in paragraphs(text, start, end):
        tokens = count(text[first:last])
        if packed and packed[-1][2] + tokens <= PASSAGE_TOKENS:
            begin = packed[-1][0]
            packed[-1] = (begin, last, count(text[begin:last]))
        else:
            packed.append((first, last, tokens))
    return packed


def paragraphs(text: str, start: int, end: int):
    """(start, end) of each run of lines without an empty line in it."""
    for found in PARAGRAPH.finditer(text, start, end):
        first, last = found.span()
        while last - first > LONGEST:
            space = text.rfind(" ", first + LONGEST // 2, first + LONGEST)
            at = space if space > 0 else first + LONGEST
            yield first, at
            first = at + (space > 0)
        yield first, last
