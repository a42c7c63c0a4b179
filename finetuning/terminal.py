"""A job in a terminal: its line in a list, and its curve in characters."""

from common.charts import thinned
from finetuning.curves import ACCURACY, LOSS
from finetuning.models import Job
from finetuning.states import LIVE, SUCCEEDED

WIDE, HIGH = 60, 12
MARKS = {"train_loss": "·", "valid_loss": "o", "full_valid_loss": "#"}


def listed(course=None, state=None, live=False):
    """Jobs, newest first, with what a line of them says."""
    rows = Job.objects.select_related("model__provider", "version__dataset__course", "ledger")
    rows = rows.of(course) if course else rows
    rows = rows.filter(state=state) if state else rows
    return rows.filter(state__in=LIVE) if live else rows


def cells(job) -> list[str]:
    return [
        str(job.pk), "set aside" if job.is_set_aside else job.state, str(job.course), str(job.version),
        str(job.model), done(job), cost(job),
    ]  # fmt: skip


def done(job):
    share = 1 if job.state == SUCCEEDED else job.progress if job.state in LIVE else None
    return "" if share is None else f"{share:.0%}"


def cost(job):
    settled = job.ledger.settled
    return f"${job.ledger.estimate:.4f} est." if settled is None else f"${settled:.4f}"


def plain_line(job, points) -> str:
    """State, step and the last values, for a log."""
    steps = [values[-1][0] for values in points.values()]
    told = [f"{name} {points[name][-1][1]:.4f}" for name in (*LOSS, *ACCURACY) if name in points]
    words = [f"job {job.pk}", job.state, done(job), f"step {max(steps)}" if steps else "", *told, job.problem]
    return "  ".join(filter(None, words))


def curve(points, wide=WIDE, high=HIGH) -> str:
    """The losses over the steps as text, the largest on top; empty where nothing was measured."""
    drawn = {name: points[name] for name in MARKS if name in points}
    if not drawn:
        return ""
    last = max(values[-1][0] for values in drawn.values()) or 1
    losses = [value for values in drawn.values() for _step, value in values]
    low, top = min(losses), max(losses)
    lines = [[" "] * (wide + 1) for _row in range(high)]
    for name, values in drawn.items():
        for step, value in thinned(values, wide * 4):
            height = (value - low) / (top - low) if top > low else 0
            lines[round((1 - height) * (high - 1))][round(step / last * wide)] = MARKS[name]
    edge = {0: f"{top:8.3f}", high - 1: f"{low:8.3f}"}
    body = [f"{edge.get(row, ''):>8} |{''.join(line)}".rstrip() for row, line in enumerate(lines)]
    legend = "   ".join(f"{MARKS[name]} {name}" for name in drawn)
    return "\n".join([*body, f"{'':8} +{'-' * (wide + 1)}", f"{'':10}step {last}   {legend}"])
