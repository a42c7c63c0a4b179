"""The report that `manage.py tune` ends with."""

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from evaluation.report import held_out, samples

MEASURES = {"chrf": "chrF (0-100)", "token_f1": "Token F1 (0-100)"}


def report(job, evaluation):
    return Group(_numbers(job, evaluation), *_answers(evaluation), _verdict(evaluation))


def _numbers(job, evaluation):
    table = Table(title=f"{job.version}: did tuning help?", title_justify="left")
    table.add_column("Measure")
    for name in ("Base", "Tuned", "Difference", "95 % interval"):
        table.add_column(name, justify="right")
    told = held_out(job)
    if told.tuned_loss is not None:
        table.add_row("Validation loss", *_two(told.base_loss, told.tuned_loss, 3), "")
        table.add_row("Validation token accuracy", *_two(told.base_accuracy, told.tuned_accuracy, 3), "")
    for verdict in evaluation.verdicts.all():
        interval = f"{verdict.low:+.1f} … {verdict.high:+.1f}"
        table.add_row(MEASURES[verdict.metric], *_two(verdict.base, verdict.tuned, 1), interval)
    return table


def _two(base, tuned, places):
    difference = "" if base is None else f"{tuned - base:+.{places}f}"
    return ("—" if base is None else f"{base:.{places}f}", f"{tuned:.{places}f}", difference)


def _answers(evaluation):
    """Three answers side by side: the best, the middle one and the worst."""
    told = samples(evaluation)
    for sample in dict.fromkeys([0, len(told) // 2, len(told) - 1]):
        table = Table(title=told[sample].question, title_justify="left", expand=True)
        for name in ("The course says", "Base", "Tuned"):
            table.add_column(name, ratio=1)
        table.add_row(
            Text(told[sample].reference), Text(told[sample].base.text), Text(told[sample].tuned.text)
        )
        yield table


def _verdict(evaluation):
    main = evaluation.verdicts.get(metric="chrf")
    text = f"{main.get_outcome_display().capitalize()}: {main.difference:+.1f} chrF points"
    return Panel(f"{text} over {main.examples} questions that neither model has seen.", expand=False)


def frozen_table(version, offers):
    table = Table(title=str(version), title_justify="left")
    for name in ("Split", "Examples", "Sections", "Tokens (o200k)", "SHA-256"):
        table.add_column(name, justify="left" if name in ("Split", "SHA-256") else "right")
    for split, count in version.statistics.items():
        cells = (count["examples"], count["sections"], count["tokens"])
        table.add_row(split, *map(str, cells), version.files[split]["sha256"][:16])
    costs = Table(title="What training costs", title_justify="left")
    for name in ("Base model", "Epochs", "Tokens", "US dollars"):
        costs.add_column(name, justify="left" if name == "Base model" else "right")
    for offer in offers:
        note = "" if offer.speaks else ", not made for this language"
        costs.add_row(f"{offer.model}{note}", str(offer.epochs), str(offer.tokens), f"{offer.cost or 0:.4f}")
    return Group(table, costs)
