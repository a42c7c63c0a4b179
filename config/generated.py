"""Commands that write files which the code already knows, so that nobody keeps them by hand."""

from django.core.management.base import BaseCommand, CommandError

from config.keys import ROOT


class GeneratedFiles(BaseCommand):
    """Subclasses say in `files` what stands where: {path under the project: text}."""

    def add_arguments(self, parser):
        parser.add_argument(
            "--check", action="store_true", help="write nothing; 1 where a file is out of date"
        )

    def files(self) -> dict[str, str]:
        raise NotImplementedError

    def handle(self, *args, check, **options):
        for name, text in self.files().items():
            path = ROOT / name
            if path.exists() and path.read_text() == text:
                continue
            if check:
                raise CommandError(f"{name} is out of date: run manage.py {self.command}.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.stdout.write(f"{name} is written.")
