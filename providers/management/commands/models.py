from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.states import Refused
from providers.catalogue import check, load
from providers.models import Model, Price, Provider

SECTIONS = """
the file, as TOML or JSON:
  [[providers]]                  name; for a new one: kind, base_url, capabilities
  [[providers.models]]           name, context_tokens, example_tokens, languages, licence, trainable,
                                 train_until, serve_until, dates_source
  [[providers.models.prices]]    what (train, input, cached, output), amount in US dollars per 1M tokens,
                                 valid_from, source
"""


class Command(BaseCommand):
    help = "List the base models with their limits, prices and dates; bring them up to date."

    def create_parser(self, *args, **kwargs):
        parser = super().create_parser(*args, **kwargs)
        parser.epilog, parser.formatter_class = SECTIONS, RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser):
        parser.add_argument("--provider", metavar="NAME", help="only those of this provider")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help="ask the providers for their lists and shutdown dates"
        )
        what.add_argument("--load", metavar="FILE", type=Path, help="bring in models, prices and dates")

    def handle(self, *args, provider, check, load, **options):
        width = None if self.stdout.isatty() else 200
        self.console = Console(file=self.stdout._out, highlight=False, soft_wrap=True, width=width)
        if load:
            self.bring(load)
        elif check:
            self.ask(self.providers(provider).usable())
        else:
            self.show(self.providers(provider))

    def providers(self, name):
        rows = Provider.objects.filter(name__iexact=name) if name else Provider.objects.all()
        if name and not rows.exists():
            known = ", ".join(Provider.objects.values_list("name", flat=True))
            raise CommandError(
                _("There is no provider “%(name)s”. There are: %(known)s.") % {"name": name, "known": known}
            )
        return rows

    def bring(self, file):
        try:
            changes = load(file)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.tell(changes)

    def ask(self, providers):
        changes = [change for provider in providers for change in check(provider)]
        self.tell(changes)

    def tell(self, changes):
        for change in changes:
            self.console.print(escape(str(change)), style="yellow" if change.problem else None)
        done = sum(not change.problem for change in changes)
        self.console.print(_("Changes: %d.") % done)

    def show(self, providers):
        table = Table(box=None)
        for name, how in [
            (_("Provider"), "left"), (_("Model"), "left"), (_("Context"), "right"), (_("Example"), "right"),
            *((label, "right") for label in Price.What.labels), (_("Tuning closes"), "left"), (_("Shuts down"), "left"),
        ]:  # fmt: skip
            table.add_column(str(name), justify=how)
        rows = (
            Model.objects.filter(provider__in=providers).select_related("provider").prefetch_related("prices")
        )
        for row in rows:
            table.add_row(*(escape(each) for each in self.cells(row)))
        self.console.print(table, _("US dollars per 1M tokens."))

    def cells(self, row):
        prices = [row.price(what) for what in Price.What.values]
        active = "" if row.provider.is_active else f" ({_('off')})"
        return [
            f"{row.provider}{active}", row.name, f"{row.context_tokens:,}", f"{row.example_tokens:,}",
            *("–" if price is None else f"{price.normalize():f}" for price in prices),
            str(row.train_until or "–"), str(row.serve_until or "–"),
        ]  # fmt: skip
