"""A text into its headings and passages, with offsets into the text as it is kept."""

import re
from dataclasses import dataclass

from common.tokens import count

LINE = re.compile(r"[^\n]*\n|[^\n]+")
HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
NOT_BLANK = re.compile(r"\S")
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
    cuts, place = [Cut(title, 1, 0, len(text))], 0
    for line in LINE.findall(prose(text)):
        found = HEADING.match(line)
        if found:
            cuts[-1].end = place
            cuts.append(Cut(_title(found[2]), len(found[1]), place + len(line), len(text)))
        place += len(line)
    first = cuts[0]
    if len(cuts) > 1 and not text[first.start : first.end].strip():
        del cuts[0]
    return cuts


def prose(text: str) -> str:
    """The text with all fenced code turned to blanks, so that offsets stay what they are."""
    lines, fence = [], ""
    for line in LINE.findall(text):
        before, fence = fence, _fence(line, fence)
        lines.append(re.sub(r"[^\n]", " ", line) if before or fence else line)
    return "".join(lines)


def _fence(line, opened):
    """The marks of the fence that is open after this line; it is closed by as many of the same at least."""
    found = FENCE.match(line)
    if not opened:
        return found[1] if found else ""
    return "" if found and found[1] == line.strip() and found[1].startswith(opened) else opened


def _title(words):
    """Without the marks that may close a heading; those of C# belong to it."""
    words = words.rstrip()
    closed = words.rstrip("#")
    return (closed if closed.endswith((" ", "\t")) else words).rstrip()[:200]


def passages(text: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """(start, end, tokens) of the paragraphs between two offsets, packed up to PASSAGE_TOKENS together.

    A paragraph is broken only where it alone is longer than LONGEST characters.
    """
    packed, room = [], 0
    for first, last in paragraphs(text, start, end):
        tokens = count(text[first:last])
        if packed:
            room -= tokens + count(text[packed[-1][1] : first])
        if packed and room >= 0:
            packed[-1] = packed[-1][0], last
        else:
            packed.append((first, last))
            room = PASSAGE_TOKENS - tokens
    return [(first, last, count(text[first:last])) for first, last in packed]


def paragraphs(text: str, start: int, end: int):
    """(start, end) of each run of lines without an empty line in it."""
    for found in PARAGRAPH.finditer(text, start, end):
        first, last = found.span()
        while last - first > LONGEST:
            space = text.rfind(" ", first + LONGEST // 2, first + LONGEST)
            at = space if space > 0 else first + LONGEST
            yield first, at
            first = NOT_BLANK.search(text, at).start()
        yield first, last
