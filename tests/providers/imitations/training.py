"""What a training looks like from outside, without any: losses that fall, accuracies that rise."""

import csv
import io

NUMBERS = {"batch_size": 4, "learning_rate_multiplier": 1.8, "beta": 0.1, "learning_rate": 0.0002}


def settle(job, epochs):
    """The hyperparameters as the numbers that `auto` became, wherever they stand."""
    method = job.get("method") or {}
    for values in (job["hyperparameters"], method.get(method.get("type"), {}).get("hyperparameters", {})):
        for name, value in values.items():
            if value == "auto":
                values[name] = epochs if name == "n_epochs" else NUMBERS[name]


def curve(epochs, steps) -> list[dict]:
    """A row of numbers for each of epochs x steps steps; the full validation at the end of each epoch."""
    total, rows = epochs * steps, []
    for step in range(1, total + 1):
        loss = round(2.5 / step**0.5, 4)
        row = {
            "step": step, "total_steps": total, "train_loss": loss, "train_mean_token_accuracy": round(1 - loss / 4, 4),
            "valid_loss": round(loss + 0.1, 4), "valid_mean_token_accuracy": round(0.98 - loss / 4, 4),
        }  # fmt: skip
        if step % steps == 0:
            row |= {
                "full_valid_loss": round(loss + 0.12, 4),
                "full_valid_mean_token_accuracy": round(0.97 - loss / 4, 4),
            }
        rows.append(row)
    return rows


def checkpoints_of(rows) -> list[dict]:
    """The ends of the last three epochs."""
    ends = [row for row in rows if "full_valid_loss" in row]
    return [{name: value for name, value in row.items() if name != "total_steps"} for row in ends[-3:]]


def results_of(rows, columns) -> bytes:
    """The results file: `columns` are {header: name of the number}."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns.values()] for row in rows)
    return table.getvalue().encode()
