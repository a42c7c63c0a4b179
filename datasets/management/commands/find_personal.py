from django.core.management.base import BaseCommand
from django.db import transaction
from rich.console import Console
from rich.progress import track

from courses.models import Text
from datasets.models import Example

BATCH = 100


class Command(BaseCommand):
    help = (
        "Look again for personal data in all texts and examples: after an upgrade, or a change of language."
    )

    def handle(self, *args, **options):
        console = Console(file=self.stdout._out, highlight=False)
        for model, way in [(Text, "section"), (Example, "dataset__course")]:
            changed = look_again(model.objects.select_related(way).order_by("pk"), console)
            held = model.objects.with_personal().count()
            name = model._meta.verbose_name_plural
            console.print(f"{name}: {model.objects.count()}, with personal data: {held}, changed: {changed}")


def look_again(rows, console) -> int:
    """Set `personal` of each row anew; how many have changed. A row that is rewritten meanwhile keeps its own."""
    changed, last = 0, 0
    for _batch in track(range(0, rows.count(), BATCH), rows.model.__name__, console=console, transient=True):
        some = list(rows.filter(pk__gt=last)[:BATCH])
        with transaction.atomic():
            changed += sum(_look(row) for row in some)
        last = some[-1].pk if some else last
    return changed


def _look(row):
    before = row.personal
    row.look_for_personal()
    same = type(row).objects.filter(pk=row.pk, sha256=row.sha256)
    return row.personal != before and same.update(personal=row.personal)
