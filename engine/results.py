"""The results file of a job: its metrics, step by step, as CSV."""

import csv
import io

COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


def write(store, files, job):
    """Add the results file of a job; returns its row."""
    sql = "SELECT data FROM events WHERE job = ? AND type = 'metrics' ORDER BY seq"
    steps = [row["data"] for row in store.all(sql, job["id"]) if row["data"]["step"] > 0]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([step.get(name, "") for name in COLUMNS.values()] for step in steps)
    return files.add(io.BytesIO(table.getvalue().encode()), "step_metrics.csv", "fine-tune-results")
