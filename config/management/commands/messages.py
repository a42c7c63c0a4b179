from django.core.management.base import BaseCommand, CommandError

from config.messages import problems, update

LANGUAGES = ("ru",)


class Command(BaseCommand):
    help = "Collect the strings for people into locale/ and compile them. With --check, say what is missing."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *args, check, **options):
        for language in LANGUAGES:
            if check:
                self.check_one(language)
            else:
                catalog = update(language)
                self.stdout.write(f"{language}: {len(catalog)} strings")

    def check_one(self, language):
        found = problems(language)
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(f"{language}: complete")
