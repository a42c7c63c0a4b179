import time
from contextlib import nullcontext

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from common.doorbell import ring
from common.states import Refused
from courses.models import Course
from finetuning.curves import values_of
from finetuning.models import Job
from finetuning.states import FINAL, JobState
from finetuning.tasks import sweep
from finetuning.terminal import cells, curve, listed, plain_line
from finetuning.tidying import lost, orphans, training_providers
from providers import client
from providers.errors import ProviderError

WIDE = 300
HEAD = ["id", "state", "course", "version", "base model", "done", "cost"]
SHORT, NUMBERS = {"id", "state", "done", "cost"}, {"id", "done", "cost"}
EXITS = dict(zip(FINAL, (0, 1, 2), strict=True))  # succeeded, failed, cancelled


class Command(BaseCommand):
    help = "List training jobs; follow, cancel or retry one."

    def add_arguments(self, parser):
        parser.add_argument("--course", type=int, metavar="ID", help="of the list: only this course")
        parser.add_argument("--state", choices=JobState.values, help="of the list: only jobs in this state")
        parser.add_argument("--live", action="store_true", help="of the list: only jobs that have not ended")
        verbs = parser.add_subparsers(dest="verb", metavar="")
        told = "its curve until it ends; exit status 0 succeeded, 1 failed, 2 cancelled"
        for name, about in (("follow", told), ("cancel", "end it"), ("retry", "the same as a new job")):
            verb = verbs.add_parser(name, help=about)
            verb.add_argument("job", type=int, metavar="ID")
            if name == "follow":
                verb.add_argument(
                    "--every", type=float, default=2, metavar="SECONDS", help="between two looks"
                )
        found = verbs.add_parser("orphans", help="live jobs at providers without a row here, and the reverse")
        found.add_argument("--cancel", metavar="REMOTE_ID", help="end this one of them at its provider")

    def handle(self, *args, verb=None, **options):
        self.console = Console(file=self.stdout._out, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:  # a line a job, for grep
            self.console.width = WIDE
        try:
            getattr(self, verb or "list")(options)
        except ProviderError as error:
            raise CommandError(error.text) from error
        except (Refused, ValidationError) as refusal:
            raise CommandError("\n".join(getattr(refusal, "messages", [str(refusal)]))) from refusal

    def list(self, options):
        course = options["course"]
        if course is not None and not Course.objects.filter(pk=course).exists():
            raise CommandError(f"There is no course {course}.")
        table = Table(box=None)
        for name in HEAD:
            table.add_column(name, no_wrap=name in SHORT, justify="right" if name in NUMBERS else "left")
        for job in listed(course, options["state"], options["live"]):
            table.add_row(*map(escape, cells(job)))
        self.console.print(table)

    def follow(self, options):
        """Only looks: the sweep of the running product takes the job on, and Ctrl-C leaves it alone."""
        job = self.job(options)
        try:
            self.watch(job, max(options["every"], 0.1))
        except KeyboardInterrupt:
            self.stderr.write(f"The job goes on: manage.py jobs follow {job.pk}")
            raise SystemExit(130) from None
        if job.error_message:
            self.stderr.write(job.error_message)
        raise SystemExit(EXITS[job.state])

    def watch(self, job, every):
        live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        last = None
        with live or nullcontext():
            while True:
                job.refresh_from_db()
                points = values_of(job)
                line = plain_line(job, points)
                if live:
                    live.update(Text(f"{line}\n{curve(points)}"), refresh=True)
                elif line != last:
                    self.console.print(Text(line))
                    last = line
                if job.is_final:
                    return
                time.sleep(every)

    def cancel(self, options):
        job = self.job(options)
        job.cancel()
        ring(sweep)
        job.refresh_from_db()
        told = "cancelled" if job.is_final else "the provider is being asked to cancel it"
        self.console.print(Text(f"job {job.pk}: {told}"))

    def retry(self, options):
        again = self.job(options).retry()
        ring(sweep)
        self.console.print(Text(f"job {again.pk}: {again.state}"))

    def orphans(self, options):
        found = {(row["id"], provider) for provider in training_providers() for row in orphans(provider)}
        for remote_id, provider in sorted(found, key=lambda each: each[0]):
            if remote_id == options["cancel"]:
                client.cancel_job(provider, remote_id)
                self.console.print(Text(f"{provider}: {remote_id} is being cancelled"))
            elif not options["cancel"]:
                self.console.print(Text(f"{provider}: {remote_id} has no row here"))
        if options["cancel"] and options["cancel"] not in dict(found):
            raise CommandError(f"{options['cancel']} is no job without a row.")
        for job in [] if options["cancel"] else [job for each in training_providers() for job in lost(each)]:
            self.console.print(Text(f"{job.provider}: does not know {job.remote_id} of job {job.pk}"))

    def job(self, options):
        rows = Job.objects.select_related("model__provider", "version__dataset__course", "ledger")
        job = rows.filter(pk=options["job"]).first()
        if job is None:
            raise CommandError(f"There is no job {options['job']}.")
        return job
