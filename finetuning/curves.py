"""The curves of a job, from its metrics."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from common.charts import LineChart, Series, thinned

LOSS = {"train_loss": "a", "valid_loss": "b", "full_valid_loss": "c"}
ACCURACY = {
    "train_mean_token_accuracy": "a",
    "valid_mean_token_accuracy": "b",
    "full_valid_mean_token_accuracy": "c",
}
SMOOTH = {"none": 0.0, "light": 0.6, "strong": 0.9}
SCALES = ["linear", "log"]
ROWS = 200


@dataclass(frozen=True)
class Look:
    """How the curves are drawn, as chosen in the address."""

    smooth: str = "none"
    scale: str = "linear"

    @classmethod
    def of(cls, query):
        smooth, scale = query.get("smooth"), query.get("scale")
        return cls(smooth if smooth in SMOOTH else "none", scale if scale in SCALES else "linear")

    @property
    def query(self):
        return urlencode({"smooth": self.smooth, "scale": self.scale})

    def choices(self):
        """[(what, [(word, query, chosen)])]: every choice keeps the others."""
        words = {"none": _("none"), "light": _("light"), "strong": _("strong")}
        smooth = [(words[each], Look(each, self.scale).query, each == self.smooth) for each in SMOOTH]
        words = {"linear": _("linear"), "log": _("logarithmic")}
        scales = [(words[each], Look(self.smooth, each).query, each == self.scale) for each in SCALES]
        return [(_("Smoothing"), smooth), (_("Scale of the loss"), scales)]

    def line(self, points):
        return smoothed(points, SMOOTH[self.smooth]) if SMOOTH[self.smooth] else None


def smoothed(points: list, weight: float) -> list:
    """An exponential moving average that begins at the first value: weight 0 changes nothing, 1 is excluded."""
    line, mean, share = [], 0.0, 1.0
    for step, value in points:
        mean = weight * mean + (1 - weight) * value
        share *= weight
        line.append((step, mean / (1 - share)))
    return line


def values_of(job) -> dict:
    """{name: [(step, value), ...]} in the order of steps."""
    points = {}
    for name, step, value in job.metrics.order_by("step").values_list("name", "step", "value"):
        points.setdefault(name, []).append((step, value))
    return points


def curves(points, checkpoints=(), look=None) -> list[LineChart]:
    """Loss and token accuracy by step: train, validation, full validation; checkpoints are marks."""
    look = look or Look()
    marks = [(each.step, _("checkpoint, step %d") % each.step) for each in checkpoints]
    return both(_series(LOSS, points, look), _series(ACCURACY, points, look), look, marks)


def both(losses, accuracies, look, marks=()) -> list[LineChart]:
    """The two charts of series, without one that would be empty."""
    charts = [
        LineChart(_("Loss"), losses, _("step"), marks, log=look.scale == "log"),
        LineChart(_("Token accuracy"), accuracies, _("step"), marks, y_max=1.0),
    ]
    return [chart for chart in charts if not chart.empty]


def _series(styles, points, look):
    names = {"a": _("training"), "b": _("validation"), "c": _("full validation")}
    return [
        Series(
            names[style],
            points.get(name, []),
            style,
            None if style == "c" else look.line(points.get(name, [])),
        )
        for name, style in styles.items()
    ]


def table(points) -> tuple[list[str], list[tuple]]:
    """(names, rows): the same numbers to read, one row a step, or where these are many, every few steps."""
    names = [*LOSS, *ACCURACY]
    rows = {}
    for name in names:
        for step, value in points.get(name, ()):
            rows.setdefault(step, {})[name] = value
    kept = thinned(sorted(rows.items()), ROWS)
    return names, [(step, [values.get(name) for name in names]) for step, values in kept]
