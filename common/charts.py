"""Charts as SVG drawn by the server: colours come from the page, values show on hover, no script."""

import math
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 260, 52, 14, 14, 34
SMALLEST, LARGEST = 1e-9, 1e12
LABELS = 9  # that find room beside each other below the bars
TAG, TAG_ROW = 40, 16  # room for the tags at the ends of lines, and between two of them
DOTS, BENDS = 300, 1500  # of one line: more are neither seen nor hit, and make a long page


@dataclass
class Series:
    """One line: points are (x, y) in data units; `style` names a CSS class and a dash.

    Where `line` is given it is drawn in place of the points, which stay as faint dots; `tag` stands at its end.
    """

    name: str
    points: list
    style: str = "a"
    line: list | None = None
    tag: str = ""


@dataclass
class LineChart:
    title: str
    series: list
    x_label: str = ""
    marks: list = field(default_factory=list)
    y_max: float | None = None
    log: bool = False

    def __post_init__(self):
        for each in self.series:
            each.points = self._drawable(each.points)
            each.line = each.points if each.line is None else self._drawable(each.line)
        points = [point for each in self.series for point in each.points]
        self.empty = not points
        self.right = RIGHT + (TAG if any(each.tag for each in self.series) else 0)
        if points:
            self.x_high = max(x for x, _ in points) or 1
            self._set_scale([y for _, y in points])

    def _drawable(self, points):
        low = SMALLEST if self.log else -LARGEST
        return [(x, y) for x, y in points if y is not None and low < y < LARGEST]

    def _set_scale(self, values):
        low, high = min(values), max(values)
        if self.log:
            self.y_low, self.y_high = low / 1.05, high * 1.05
        else:
            self.y_low = 0
            self.y_high = self.y_max or (high * 1.05 if high > SMALLEST else 1)

    def x(self, value):
        return _at(LEFT + (WIDTH - LEFT - self.right) * value / self.x_high)

    def y(self, value):
        share = value / self.y_high
        if self.log:
            share = math.log(value / self.y_low) / math.log(self.y_high / self.y_low)
        return _at(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(share, 0), 1))

    def svg(self):
        if self.empty:
            return ""
        return format_html(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
            WIDTH, HEIGHT, self.title,
            self._grid(), self._marks(),
            format_html_join("", "{}", ((self._line(each),) for each in self.series if each.points)) + self._tags(),
        )  # fmt: skip

    def _grid(self):
        rows = [
            (
                LEFT,
                self.y(value),
                WIDTH - self.right,
                self.y(value),
                LEFT - 6,
                self.y(value) + 4,
                _short(value),
            )
            for value in (_log_ticks(self.y_low, self.y_high) if self.log else _ticks(self.y_high))
        ]
        lines = format_html_join(
            "", '<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>'
            '<text class="tick end" x="{}" y="{}">{}</text>', rows
        )  # fmt: skip
        columns = [
            (self.x(value), HEIGHT - BOTTOM + 16, _short(value)) for value in _whole_ticks(self.x_high)
        ]
        ticks = format_html_join("", '<text class="tick middle" x="{}" y="{}">{}</text>', columns)
        label = format_html(
            '<text class="tick end" x="{}" y="{}">{}</text>', WIDTH - RIGHT, HEIGHT - 3, self.x_label
        )
        return lines + ticks + label

    def _marks(self):
        rows = [(self.x(at), TOP, self.x(at), HEIGHT - BOTTOM, text) for at, text in self.marks]
        return format_html_join(
            "", '<line class="mark" x1="{}" y1="{}" x2="{}" y2="{}"><title>{}</title></line>', rows
        )

    def _line(self, series):
        path = " ".join(f"{self.x(x)},{self.y(y)}" for x, y in thinned(series.line, BENDS))
        faint = "" if series.line == series.points else " faint"
        dots = format_html_join(
            "",
            '<circle class="dot {}" cx="{}" cy="{}" r="4"><title>{} · {} {}: {}</title></circle>',
            (
                (series.style + faint, self.x(x), self.y(y), series.name, self.x_label, _short(x), _short(y))
                for x, y in thinned(series.points, DOTS)
            ),
        )
        line = format_html('<polyline class="line {}" points="{}"/>', series.style, path)
        return line + dots

    def _tags(self):
        """Each right of the end of its line, pushed down from the one above where they would meet."""
        ends = [
            (self.y(each.line[-1][1]), self.x(each.line[-1][0]), each)
            for each in self.series
            if each.line and each.tag
        ]
        rows, free = [], {}
        for y, x, series in sorted(ends, key=lambda end: end[:2]):
            y = max(y, free.get(x, 0))
            free[x] = y + TAG_ROW
            rows.append((series.style, x + 5, _at(y + 4), series.tag))
        return format_html_join("", '<text class="tag {}" x="{}" y="{}">{}</text>', rows)


def thinned(points: list, most: int) -> list:
    """At most about so many of them, evenly, and always the last."""
    every = -(-len(points) // most) or 1
    return points if every == 1 else [*points[:-1:every], points[-1]]


def histogram(title, buckets, unit=""):
    """Bars from [(label, count), ...]; counts stand above the bars and in the hover text."""
    if not buckets:
        return ""
    top = max(count for _, count in buckets) or 1
    step = (WIDTH - LEFT - RIGHT) / len(buckets)
    bars = []
    for place, (label, count) in enumerate(buckets):
        tall = (HEIGHT - TOP - BOTTOM - 14) * count / top
        x, y = LEFT + place * step, HEIGHT - BOTTOM - tall
        bars.append(
            (_at(x + 2), _at(y), _at(max(step - 4, 1)), _at(tall), label, unit, count,
             _at(x + step / 2), _at(y - 4), count or "", _at(x + step / 2), HEIGHT - BOTTOM + 16, label)
        )  # fmt: skip
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH, HEIGHT, title,
        format_html_join(
            "",
            '<rect class="bar" x="{}" y="{}" width="{}" height="{}">'
            "<title>{} {}: {}</title></rect>"
            '<text class="tick middle" x="{}" y="{}">{}</text>'
            '<text class="tick middle" x="{}" y="{}">{}</text>',
            bars,
        ),
    )  # fmt: skip


@dataclass
class StackedBars:
    """A bar for each of `columns`, [(label, [value, ...])], its values stacked in the order of `names`."""

    title: str
    names: list
    columns: list
    unit: str = ""

    def __post_init__(self):
        self.top = float(max((sum(values) for _label, values in self.columns), default=0))
        self.step = (WIDTH - LEFT - RIGHT) / max(len(self.columns), 1)

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float(value) / self.top

    def svg(self):
        """Nothing where every value is nought."""
        if not self.top:
            return ""
        return format_html(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
            WIDTH, HEIGHT, self.title, self._grid(), self._blocks(), self._labels(),
        )  # fmt: skip

    def _grid(self):
        heights = [(value, _at(self.y(value))) for value in _ticks(self.top)]
        rows = [
            (LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, self.unit, _plain(value)) for value, y in heights
        ]
        return format_html_join(
            "", '<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>'
            '<text class="tick end" x="{}" y="{}">{}{}</text>', rows
        )  # fmt: skip

    def _blocks(self):
        return format_html_join(
            "", '<rect class="block s{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            (block for place, column in enumerate(self.columns) for block in self._column(place, *column)),
        )  # fmt: skip

    def _column(self, place, label, values):
        x, below = LEFT + (place + 0.15) * self.step, 0.0
        for number, (name, value) in enumerate(zip(self.names, values, strict=True), start=1):
            foot, head = self.y(below), self.y(below + float(value))
            below += float(value)
            told = f"{label} · {name}: {self.unit}{_plain(float(value))}"
            if value:
                yield number, _at(x), _at(head), _at(self.step * 0.7), _at(foot - head), told

    def _labels(self):
        every = -(-len(self.columns) // LABELS)
        rows = [
            (_at(LEFT + (place + 0.5) * self.step), HEIGHT - BOTTOM + 16, label)
            for place, (label, _values) in enumerate(self.columns)
            if place % every == 0
        ]
        return format_html_join("", '<text class="tick middle" x="{}" y="{}">{}</text>', rows)


def buckets_of(values, most=12):
    """Values into at most `most` equal steps: [("0–49", 3), ...]; the step is 1, 2 or 5 times a power of ten."""
    if not values:
        return []
    low, high = min(values), max(values)
    step = _step((high - low) / most)
    first, last = int(low // step), int(high // step)
    counts = dict.fromkeys(range(first, last + 1), 0)
    for value in values:
        counts[int(value // step)] += 1
    return [(f"{place * step}–{(place + 1) * step - 1}", count) for place, count in counts.items()]


def _step(rough):
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= rough:
                return factor * power
        power *= 10


def _ticks(high, most=5):
    scale = 1.0
    while high / scale > 10:
        scale *= 10
    while high / scale < 1:
        scale /= 10
    step = next(scale * part for part in (0.2, 0.25, 0.5, 1, 2, 5) if high / (scale * part) <= most)
    return [round(step * n, 10) for n in range(int(high / step) + 1)]


def _whole_ticks(high):
    """Steps are whole numbers."""
    return [value for value in _ticks(high) if value == int(value)]


def _log_ticks(low, high):
    """1, 2 and 5 times the powers of ten; where these are too few, five values at even distances."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ones = [
        part * 10.0**power for power in powers for part in (1, 2, 5) if low <= part * 10.0**power <= high
    ]
    if len(round_ones) >= 3:
        return thinned(round_ones, 8)
    steps = [low * (high / low) ** (part / 4) for part in range(5)]
    return list(dict.fromkeys(float(f"{step:.2g}") for step in steps))


def _at(place):
    """A coordinate; format_html gives texts to its fields, so it cannot round by itself."""
    return round(place, 1)


def _short(value):
    return mark_safe(f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}")


def _plain(value):
    """A small number without an exponent, as money is read."""
    return _short(value) if abs(value) >= 0.01 or not value else f"{value:.7f}".rstrip("0")
