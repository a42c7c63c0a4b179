"""What happened when, as SVG: a row for each stage, its bar on an axis of elapsed time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

WIDTH, LEFT, RIGHT, TOP, ROW, TEXT, BAR, BOTTOM = 640, 20, 30, 12, 40, 16, 12, 30
UNITS = [(1, "s"), (60, "min"), (3600, "h"), (86400, "d")]
STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400]


@dataclass
class Span:
    """One stage; without `end` it is a moment. `style` names a CSS class."""

    label: str
    start: datetime
    end: datetime | None
    style: str = ""


@dataclass
class Spans:
    """`marks` are [(moment, text)]: what is expected, or happened within a stage."""

    title: str
    spans: list
    marks: list = ()

    def svg(self):
        if not self.spans:
            return ""
        self.begun = self.spans[0].start
        ends = [each.end or each.start for each in self.spans] + [moment for moment, _text in self.marks]
        self.length = max((max(ends) - self.begun).total_seconds(), 1)
        self.height = TOP + ROW * len(self.spans) + BOTTOM
        return format_html(
            '<svg class="chart spans" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
            WIDTH, self.height, self.title, self._axis(), self._bars(), self._marks(),
        )  # fmt: skip

    def x(self, moment):
        share = max((moment - self.begun).total_seconds(), 0) / self.length
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)

    def _axis(self):
        step = next((each for each in STEPS if self.length / each <= 5), 86400 * -(-self.length // 432_000))
        floor = self.height - BOTTOM + 2
        times = [int(step * number) for number in range(int(self.length // step) + 1)]
        rows = [(self.x(self.begun + timedelta(seconds=time)), floor, elapsed(time)) for time in times]
        return format_html_join(
            "", '<line class="grid" x1="{0}" y1="6" x2="{0}" y2="{1}"/>'
            '<text class="tick middle" x="{0}" y="{3}">{2}</text>',
            ((x, floor, text, floor + 16) for x, floor, text in rows),
        )  # fmt: skip

    def _bars(self):
        return format_html_join("", "{}", ((self._bar(*each),) for each in enumerate(self.spans)))

    def _bar(self, place, span):
        y, x = TOP + ROW * place, self.x(span.start)
        wide = round(max(self.x(span.end) - x, 3), 1) if span.end else BAR
        told = span.label
        if span.end:
            told = f"{span.label} · {elapsed((span.end - span.start).total_seconds())}"
        return format_html(
            '<text class="tick name" x="{}" y="{}">{}</text>'
            '<rect class="span {}" x="{}" y="{}" width="{}" height="{}" rx="{}"><title>{}</title></rect>',
            LEFT, y + TEXT - 4, told, span.style, x, y + TEXT, wide, BAR, 2 if span.end else BAR / 2, told,
        )  # fmt: skip

    def _marks(self):
        return format_html_join(
            "",
            '<line class="mark" x1="{0}" y1="{1}" x2="{0}" y2="{2}"><title>{3}</title></line>',
            ((self.x(moment), TOP, self.height - BOTTOM, text) for moment, text in self.marks),
        )


def elapsed(seconds) -> str:
    """A length of time in its two largest units, such as “2 min 5 s”."""
    left, parts = round(seconds), []
    words = {"d": _("%d d"), "h": _("%d h"), "min": _("%d min"), "s": _("%d s")}
    for size, name in reversed(UNITS):
        count, left = divmod(left, size)
        if count:
            parts.append(words[name] % count)
    return " ".join(parts[:2]) or words["s"] % 0
