"""The curves of a job, from its metrics."""

from django.utils.translation import gettext as _

from common.charts import LineChart, Series

LOSS = {"train_loss": "a", "valid_loss": "b", "full_valid_loss": "c"}
ACCURACY = {
    "train_mean_token_accuracy": "a",
    "valid_mean_token_accuracy": "b",
    "full_valid_mean_token_accuracy": "c",
}


def curves(job) -> list[LineChart]:
    """Loss and token accuracy by step: train, validation, full validation; checkpoints are marks."""
    points = {}
    for name, step, value in job.metrics.order_by("step").values_list("name", "step", "value"):
        points.setdefault(name, []).append((step, value))
    marks = [(each.step, _("checkpoint, step %d") % each.step) for each in job.checkpoints.all()]
    charts = [
        LineChart(_("Loss"), _series(LOSS, points), _("step"), marks),
        LineChart(_("Token accuracy"), _series(ACCURACY, points), _("step"), marks, y_max=1.0),
    ]
    return [chart for chart in charts if not chart.empty]


def _series(styles, points):
    names = {"a": _("training"), "b": _("validation"), "c": _("full validation")}
    return [Series(names[style], points.get(name, []), style) for name, style in styles.items()]


def table(job) -> tuple[list[str], list[tuple]]:
    """(names, rows): the same numbers to read, one row a step."""
    names = [*LOSS, *ACCURACY]
    rows = {}
    for name, step, value in job.metrics.values_list("name", "step", "value"):
        rows.setdefault(step, {})[name] = value
    return names, [(step, [values.get(name) for name in names]) for step, values in sorted(rows.items())]
