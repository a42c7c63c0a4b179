"""The tables as one picture: boxes in a frame for each app, foreign keys as lines that share a trunk.

All references to one table run together: from their rows into the gutter beside it, over or under the frames
when the way is far, and into its right side. Every place is a function of the models, so the same models give
the same file.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from html import escape

COLUMNS = [
    ["accounts", "auth", "contenttypes", "knox"],
    ["courses"],
    ["providers"],
    ["datasets"],
    ["finetuning"],
    ["evaluation"],
    ["assistants"],
]
INK = {
    # app           light      dark
    "accounts":     ("#6d4ab8", "#b8a2f2"),
    "auth":         ("#5f6875", "#a3acba"),
    "contenttypes": ("#5f6875", "#a3acba"),
    "knox":         ("#5f6875", "#a3acba"),
    "courses":      ("#0b7670", "#54c9c1"),
    "providers":    ("#9a5600", "#e9a451"),
    "datasets":     ("#1d5fc0", "#82b2ff"),
    "finetuning":   ("#b3291f", "#ff9187"),
    "evaluation":   ("#8b2f80", "#e28ed6"),
    "assistants":   ("#3a761d", "#93d26f"),
}  # fmt: skip
WIDTH, ROW, HEAD, FOOT, GAP = 252, 18, 33, 3, 18
BAND = 30
FRAME, TITLE = 14, 30
LANE, NEAR, FAR = 9, 22, 16
MARGIN, TOP = 28, 104
CORNER = 6
SET_OFF = ROW / 4  # of every other column, so that no two stubs share a height


@dataclass
class Box:
    table: object
    column: int
    x: float
    y: float

    @property
    def height(self):
        return HEAD + ROW * len(self.table.columns) + FOOT

    @property
    def port(self):
        """Where arrows come in: the right side, at the height of the name."""
        return self.x + WIDTH, self.y + BAND / 2

    def row(self, index):
        return self.y + HEAD + ROW * index + ROW / 2


@dataclass
class Line:
    """A foreign key from a row of one box to another box; `gutter` is where it leaves its column."""

    source: Box
    row: float
    target: Box
    null: bool

    @property
    def right(self):
        """Whether it leaves to the right: towards a table of its own column, or of one further on."""
        return self.source.column <= self.target.column

    @property
    def gutter(self):
        return self.source.column - (not self.right)

    @property
    def far(self):
        return self.gutter != self.target.column


class Drawing:
    def __init__(self, tables):
        self.columns = _stacked(tables)
        self.boxes = {box.table.label: box for column in self.columns for box in column}
        self.lines = [
            Line(box, box.row(index), self.boxes[column.target], column.null)
            for box in self.boxes.values()
            for index, column in enumerate(box.table.columns)
            if column.target in self.boxes
        ]
        self.bottom = max(box.y + box.height for box in self.boxes.values()) + FRAME
        self.roads = self._roads()
        self.lanes = {place: self._ordered(place) for place in range(len(self.columns))}
        self._spread()

    def _roads(self):
        """{label: height} of the horizontal way of each table that is pointed at from afar, above or below."""
        far = defaultdict(list)
        for line in self.lines:
            if line.far:
                far[line.target.table.label].append(line.source.column)
        reach = {label: max(columns) - self.boxes[label].column for label, columns in far.items()}
        over = [label for label in far if self.boxes[label].y < self.bottom * 0.55]
        under = [label for label in far if label not in over]
        inner_first = lambda labels: sorted(labels, key=lambda label: (reach[label], label))  # noqa: E731
        above = {label: -(place + 1) * LANE - FAR for place, label in enumerate(inner_first(over))}
        below = {
            label: self.bottom + FAR + (place + 1) * LANE for place, label in enumerate(inner_first(under))
        }
        return above | below

    def _ordered(self, gutter):
        """The lanes of a gutter from left to right, so that as few lines as possible cross in it."""
        ends, left, right = defaultdict(list), defaultdict(list), defaultdict(list)
        for line in self.lines:
            label, height = line.target.table.label, line.target.port[1]
            if line.gutter == gutter:
                (left if line.right else right)[label].append(line.row)
                ends[label] += [line.row, self.roads[label] if line.far else height]
            if line.target.column == gutter:
                left[label].append(height)
                ends[label] += [height, self.roads[label] if line.far else height]
        return _least_crossings({label: (min(ys), max(ys)) for label, ys in ends.items()}, left, right)

    def _spread(self):
        """Give every column its place, now that the width of each gutter is known."""
        x, self.lane_x = MARGIN + FRAME, {}
        for place, column in enumerate(self.columns):
            for box in column:
                box.x = x
            x += WIDTH + FRAME + NEAR
            for lane, label in enumerate(self.lanes[place]):
                self.lane_x[place, label] = x + lane * LANE
            x += max(0, len(self.lanes[place]) - 1) * LANE + FAR + FRAME
        self.width = x - FRAME - FAR + MARGIN
        above = min([0, *self.roads.values()])
        self.shift = TOP - above
        self.height = max([self.bottom, *self.roads.values()]) + self.shift + MARGIN

    def path(self, line):
        """The corners of a line, from its row to the table it points at."""
        label = line.target.table.label
        here, there = self.lane_x[line.gutter, label], self.lane_x[line.target.column, label]
        x, y = line.target.port
        start = line.source.x + (WIDTH if line.right else 0)
        way = [(start, line.row), (here, line.row)]
        if line.far:
            way += [(here, self.roads[label]), (there, self.roads[label])]
        return [*way, (there, y), (x, y)]

    def frames(self):
        """{app: (x, y, width, height)} round the boxes of each app."""
        found = {}
        for column in self.columns:
            for box in column:
                top = box.y - TITLE - box.column % 2 * SET_OFF
                x, y, *_ = found.get(box.table.app, (box.x - FRAME, top))
                found[box.table.app] = (x, y, WIDTH + 2 * FRAME, box.y + box.height + FRAME - y)
        return found


def _stacked(tables):
    """The boxes of each column, from the top."""
    columns = []
    for place, apps in enumerate(COLUMNS):
        y, app, column = TITLE + place % 2 * SET_OFF, None, []
        for table in sorted(tables, key=lambda each: apps.index(each.app) if each.app in apps else -1):
            if table.app not in apps:
                continue
            y += TITLE + FRAME + 2 * ROW - 8 if app not in (None, table.app) else 0
            app = table.app
            column.append(Box(table, place, 0, y))
            y += column[-1].height + GAP
        columns.append(column)
    return columns


def _least_crossings(extents, left, right):
    """The best order of the lanes, by dynamic programming over the set of those already placed."""
    labels = sorted(extents)

    def crossings(one, other):
        """How often lines meet when lane `one` lies to the left of lane `other`."""
        within = lambda ys, ends: sum(ends[0] < y < ends[1] for y in ys)  # noqa: E731
        return within(left[other], extents[one]) + within(right[one], extents[other])

    cost = {(one, other): crossings(one, other) for one in labels for other in labels if one != other}

    @cache
    def best(placed):
        """(crossings, order) of the lanes that are not yet placed, all to the right of those that are."""
        rest = [label for label in labels if label not in placed]
        return min(
            (
                (sum(cost[label, other] for other in rest if other != label) + tail[0], (label, *tail[1]))
                for label in rest
                for tail in [best(placed | {label})]
            ),
            default=(0, ()),
        )

    return best(frozenset())[1]


def svg(tables) -> str:
    drawing = Drawing(tables)
    width, height = round(drawing.width), round(drawing.height)
    frames = "".join(_frame(app, *place) for app, place in drawing.frames().items())
    boxes = "".join(_box(box) for box in drawing.boxes.values())
    ordered = sorted(drawing.lines, key=lambda line: (line.target.table.label, line.null))
    lines = "".join(_line(line, drawing.path(line)) for line in ordered)
    title = f"CourseTune: {len(drawing.boxes)} tables, {len(drawing.lines)} foreign keys"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>\n{_style()}</style>\n{_markers()}"
        f'<rect class="paper" width="{width}" height="{height}"/>\n{_heading(title)}'
        f'<g transform="translate(0 {drawing.shift:g})">\n{frames}{lines}{boxes}</g>\n</svg>\n'
    )


def _heading(title):
    x = MARGIN
    return (
        f'<text class="title" x="{x}" y="52">{title}</text>\n'
        f'<text class="note" x="{x}" y="76">Imports and foreign keys point to the left. '
        "A line has the colour of the app that it points at; its row names the table. "
        "PK primary key, FK foreign key, U unique; a value in italics may be null.</text>\n"
    )


def _frame(app, x, y, width, height):
    return (
        f'<rect class="frame {app}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10"/>\n'
        f'<text class="app {app}" x="{x + FRAME:g}" y="{y + 20:g}">{app}</text>\n'
    )


def _box(box):
    table, x, y = box.table, box.x, box.y
    rows = "".join(_row(box, index, column) for index, column in enumerate(table.columns))
    return (
        f'<g id="{escape(table.label)}">\n'
        f'<rect class="box" x="{x:g}" y="{y:g}" width="{WIDTH}" height="{box.height}" rx="5"/>\n'
        f'<path class="head {table.app}" d="M{x:g} {y + BAND:g}v{5 - BAND}q0-5 5-5h{WIDTH - 10}q5 0 5 5'
        f'v{BAND - 5}z"/>\n'
        f'<text class="name" x="{x + 10:g}" y="{y + 20:g}">{escape(table.name)}</text>\n{rows}</g>\n'
    )


def _row(box, index, column):
    y, app = box.row(index) + 4, column.target.partition(".")[0]
    mark = "PK" if column.primary else "FK" if column.target else "U" if column.unique else ""
    kind = column.target.partition(".")[2] or column.type
    if column.target and column.unique:
        kind += " 1:1"
    slant = " may" if column.null else ""
    sign = f'<text class="mark {app}" x="{box.x + 9:g}" y="{y:g}">{mark}</text>' if mark else ""
    return (
        f'{sign}<text class="field{slant}" x="{box.x + 30:g}" y="{y:g}">{escape(column.name)}</text>'
        f'<text class="type {app}{slant}" x="{box.x + WIDTH - 9:g}" y="{y:g}">{escape(kind)}</text>\n'
    )


def _line(line, corners):
    app = line.target.table.app
    title = f"{line.source.table.label} → {line.target.table.label}"
    return (
        f'<path class="line {app}" d="{_rounded(corners)}" marker-end="url(#to-{app})">'
        f"<title>{escape(title)}</title></path>\n"
    )


def _rounded(corners):
    """Straight pieces with a small arc at each corner."""
    corners = [corner for place, corner in enumerate(corners) if not place or corner != corners[place - 1]]
    parts = ["M{:g} {:g}".format(*corners[0])]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        first, last = _towards(corner, before), _towards(corner, after)
        parts.append("L{:g} {:g}Q{:g} {:g} {:g} {:g}".format(*first, *corner, *last))
    return "".join([*parts, "L{:g} {:g}".format(*corners[-1])])


def _towards(corner, other):
    """The point a corner's radius away from it, or half the way where that is shorter."""
    (x, y), (to_x, to_y) = corner, other
    length = abs(to_x - x) + abs(to_y - y)
    share = min(CORNER, length / 2) / length
    return x + (to_x - x) * share, y + (to_y - y) * share


def _markers():
    heads = "".join(
        f'<marker id="to-{app}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="tip {app}" d="M0 .5L8 4 0 7.5z"/></marker>\n'
        for app in INK
    )
    return f"<defs>\n{heads}</defs>\n"


STYLE = """\
text {{ font: 12px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }}
.paper {{ fill: {paper}; }}
.frame {{ fill-opacity: .07; stroke-opacity: .45; }}
.box {{ fill: {card}; stroke: {rule}; }}
.title {{ font-size: 22px; font-weight: 650; fill: {ink}; }}
.note {{ font-size: 13px; fill: {soft}; }}
.app {{ font-size: 14px; font-weight: 650; letter-spacing: .02em; }}
.name {{ font-size: 13.5px; font-weight: 650; fill: {on}; }}
.field {{ fill: {ink}; }}
.type {{ fill: {soft}; text-anchor: end; }}
.mark {{ font-size: 9px; font-weight: 700; fill: {soft}; }}
.may {{ font-style: italic; }}
.line {{ fill: none; stroke-width: 1.3; stroke-linejoin: round; }}
"""
COLOURS = {
    "light": {"paper": "#fbfaf7", "card": "#ffffff", "rule": "#cfcbc2", "ink": "#1f1d1a", "soft": "#66615a",
              "on": "#ffffff"},
    "dark": {"paper": "#16171a", "card": "#1f2125", "rule": "#454951", "ink": "#ecebe7", "soft": "#a5a29b",
             "on": "#14151a"},
}  # fmt: skip


def _style():
    """Plain rules: some viewers know neither variables nor `:is`."""
    light, dark = (
        STYLE.format(**COLOURS[name])
        + "".join(
            f"{_all(app, 'frame', 'head', 'tip', 'app', 'type', 'mark')} {{ fill: {inks[shade]}; }}\n"
            f"{_all(app, 'frame', 'line')} {{ stroke: {inks[shade]}; }}\n"
            for app, inks in INK.items()
        )
        for shade, name in enumerate(COLOURS)
    )
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _all(app, *parts):
    return ", ".join(f".{app}.{part}" for part in parts)
