"""Tables as CSV that a spreadsheet opens without running what people have written into them."""

import csv

from django.http import StreamingHttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it, so that the rows stream."""

    def write(self, line):
        return line


def cell(value):
    """As text; what a spreadsheet would take for a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \n").startswith(FORMULA) and not _is_number(text) else text


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def csv_file(name, head, rows):
    """An attachment of this name, row by row, in UTF-8 with the mark that spreadsheets look for."""
    writer = csv.writer(_Echo())
    lines = (writer.writerow([cell(value) for value in row]) for row in (head, *rows))
    response = StreamingHttpResponse(_marked(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _marked(lines):
    yield "\ufeff"
    yield from lines
