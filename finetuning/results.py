"""The results file of a job: its numbers by step, whatever the provider calls them and however it is wrapped."""

import base64
import binascii
import csv
import io

LARGEST = 20 * 1024**2
# Other words for OpenAI's names of the metrics events.
ALSO = {
    "train_accuracy": "train_mean_token_accuracy",
    "training_loss": "train_loss",
    "training_accuracy": "train_mean_token_accuracy",
    "train_token_accuracy": "train_mean_token_accuracy",
    "valid_accuracy": "valid_mean_token_accuracy",
    "validation_loss": "valid_loss",
    "validation_accuracy": "valid_mean_token_accuracy",
    "validation_token_accuracy": "valid_mean_token_accuracy",
    "validation_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_validation_loss": "full_valid_loss",
    "full_validation_mean_token_accuracy": "full_valid_mean_token_accuracy",
}


def read(data: bytes) -> list[dict]:
    """[{"step": int, name: float}] in the metrics events' names; [] for what is no such table.

    Plain CSV or base64 of it, with or without a byte order mark; cells that are no numbers are left out.
    """
    text = _text(data[:LARGEST])
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [_name(each) for each in next(rows, [])]
        if "step" not in header:
            return []
        return [row for cells in rows if (row := _row(header, cells))]
    except csv.Error:
        return []


def _text(data):
    if (
        b"," not in data.partition(b"\n")[0]
    ):  # a table has a comma in its first line, base64 has none anywhere
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error:
            return ""
    return data.decode("utf-8-sig", errors="replace")


def _name(header):
    name = header.strip().lower().replace(" ", "_")
    return ALSO.get(name, name)


def _row(header, cells):
    numbers = {
        name: number
        for name, cell in zip(header, cells, strict=False)
        if (number := _number(cell)) is not None
    }
    step = numbers.pop("step", None)
    if step is None or not float(step).is_integer():
        return None
    return {"step": int(step), **numbers}


def _number(cell):
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if abs(number) != float("inf") and number == number else None
