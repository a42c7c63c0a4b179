import csv
import re
from datetime import date

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.csv_file import cell
from courses.models import Course
from providers.costs.report import BY, chosen, lines, summed, total
from providers.ledger import LedgerEntry

HEAD = ["entries", "tokens", "estimated USD", "reserved USD", "billed USD"]


class Command(BaseCommand):
    help = "What courses have spent, in US dollars: estimated, reserved and billed."

    def add_arguments(self, parser):
        parser.add_argument("--course", type=int, metavar="ID", help="only this course")
        parser.add_argument("--month", metavar="2026-11", help="only this month")
        parser.add_argument(
            "--by", choices=sorted(BY), default="month", help="one line for each; by default month"
        )
        parser.add_argument("--csv", action="store_true", help="as CSV instead of a table")

    def handle(self, *args, course, month, by, **options):
        rows = self.rows(course, month)
        found = [(self.named(line, by), *self.sums(line)) for line in lines(summed(rows, by))]
        if options["csv"]:
            self.as_csv(by, found)
        else:
            self.as_table(by, [*found, ("together", *self.sums(total(rows)))])

    def rows(self, course, month):
        rows = LedgerEntry.objects.all()
        if course is not None:
            if not Course.objects.filter(pk=course).exists():
                raise CommandError(f"There is no course {course}.")
            rows = rows.of(course)
        first = month and self.first_day(month)
        return chosen(rows, since=first, until=first)

    def first_day(self, month):
        try:
            if not re.fullmatch(r"\d{4}-\d{2}", month, re.ASCII):
                raise ValueError
            return date.fromisoformat(f"{month}-01")
        except ValueError:
            raise CommandError(f"“{month}” is no month. Write it as 2026-11.") from None

    def named(self, line, by):
        value = getattr(line, by)
        return f"{value:%Y-%m}" if by == "month" else str(value) if value else "nobody"

    def sums(self, line):
        return line.entries, line.tokens, line.estimated, line.reserved, line.billed

    def as_csv(self, by, found):
        writer = csv.writer(self.stdout._out)
        writer.writerows([cell(value) for value in row] for row in ([by, *HEAD], *found))

    def as_table(self, by, found):
        table = Table(box=None)
        table.add_column(by)
        for name in HEAD:
            table.add_column(name, justify="right")
        for name, entries, tokens, *money in found:
            table.add_row(escape(name), f"{entries:,}", f"{tokens:,}", *(f"{each:,.4f}" for each in money))
        Console(file=self.stdout._out, highlight=False, soft_wrap=True).print(table)
