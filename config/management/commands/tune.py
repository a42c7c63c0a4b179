import time
from contextlib import nullcontext

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from accounts.models import User
from assistants.models import PROPOSED as ASKED
from assistants.models import PUBLISHED, Assistant
from common.states import Refused
from config import nearby
from config.journey import Folder, bring_course, build_examples, choose_model, frozen
from config.management.commands.demo import demo_people
from config.report import frozen_table, report
from datasets.costs import offers
from datasets.personal import HoldsPersonal, labelled
from evaluation import answering
from evaluation.models import Evaluation
from evaluation.states import DONE
from finetuning import polling
from finetuning.models import Job
from finetuning.states import PROPOSED, SUCCEEDED
from providers.models import Provider

PAUSE = 0.5


class Command(BaseCommand):
    help = "Turn a folder of course texts into a tuned model, and say whether tuning helped."

    def add_arguments(self, parser):
        parser.add_argument("folder")
        parser.add_argument(
            "--title", default="", help="of the course; else course.toml or the folder's name"
        )
        parser.add_argument("--language", default="", choices=["", "en", "ru"])
        parser.add_argument("--instructions", default="", help="the system message of every example")
        parser.add_argument(
            "--owner", default="", help="email of the course's owner; else the demo instructor"
        )
        parser.add_argument("--provider", default="", help="its name or kind")
        parser.add_argument("--model", default="", help="the base model's name")
        parser.add_argument("--epochs", default="auto")
        parser.add_argument("--seed", type=int, default=42)
        parser.add_argument("--split-seed", type=int, default=0)
        parser.add_argument(
            "--personal-ok",
            action="store_true",
            help="freeze although personal data is found in the examples",
        )
        parser.add_argument("--until", choices=["freeze", "train", "end"], default="end")

    def handle(self, *args, **options):
        self.console = Console(file=self.stdout._out, highlight=False)
        try:
            self.walk(options)
        except (Refused, ValidationError) as refusal:
            raise CommandError("\n".join(getattr(refusal, "messages", [str(refusal)]))) from refusal

    def walk(self, options):
        owner = self.owner(options["owner"])
        version = self.prepare(owner, options)
        if options["until"] == "freeze":
            self.console.print(frozen_table(version, offers(version)))
            return
        model = choose_model(options["provider"], options["model"])
        here = model.provider.kind == Provider.Kind.ENGINE and not model.provider.base_url
        with nearby.engine() if here else nullcontext(), self.bars() as bars:
            job = self.train(bars, version, model, owner, options)
            evaluation = self.evaluate(bars, job, owner) if options["until"] == "end" else None
        if evaluation:
            assistant = self.put_to_use(job, owner)
            self.console.print(report(job, evaluation))
            waits = assistant.state == ASKED
            told = "It waits for approval by a second owner or by staff" if waits else "Chat with it"
            self.console.print(f"{told}: {link('assistant', assistant.pk)}")
        self.console.print(f"The job:      {link('job', job.pk)}")

    def owner(self, email):
        if not email:
            return demo_people()["instructor@example.com"]
        person = User.objects.filter(email=User.objects.normalize_email(email)).first()
        if person is None:
            raise CommandError(f"Nobody signs in with {email}.")
        return person

    def prepare(self, owner, options):
        named = {name: options[name] for name in ("title", "language", "instructions")}
        folder = Folder.read(options["folder"], **named)
        course = bring_course(folder, owner)
        dataset = build_examples(course, folder.instructions, owner)
        version = self.frozen(dataset, owner, options)
        counts = {split: each["examples"] for split, each in version.statistics.items()}
        self.console.print(f"{course}: {len(folder.texts)} texts, {version}, {counts}")
        return version

    def frozen(self, dataset, owner, options):
        try:
            version = frozen(dataset, owner, options["split_seed"], options["personal_ok"])
        except HoldsPersonal as found:
            raise CommandError(f"{found}\nTo go on all the same: --personal-ok") from found
        if counts := version.checks.get("personal"):
            told = ", ".join(f"{label}: {count}" for label, count in labelled(counts))
            self.console.print(f"Warning: the training file holds personal data ({told}).", style="yellow")
        return version

    def bars(self):
        columns = (
            TextColumn("{task.description:<12}"), BarColumn(30), TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        return Progress(*columns, console=self.console)

    def train(self, bars, version, model, owner, options):
        job = Job.objects.start(version, model, owner, {"n_epochs": options["epochs"]}, seed=options["seed"])
        if job.state == PROPOSED:
            raise CommandError(
                f"{job} waits for approval by a second owner or by staff: {link('job', job.pk)}"
            )
        bar = bars.add_task("Training", total=1, note=str(model))
        while not job.is_final:
            polling.sweep()
            job.refresh_from_db()
            bars.update(bar, completed=job.progress or 0, note=job.problem or job.get_state_display())
            if not job.is_final:
                time.sleep(PAUSE)
        if job.state != SUCCEEDED:
            raise CommandError(f"{job}: {job.get_state_display()}. {job.error_message}")
        bars.update(bar, completed=1, note=job.tuned.name)
        return job

    def evaluate(self, bars, job, owner):
        evaluation = Evaluation.objects.start(job.tuned, by=owner)
        bar = bars.add_task("Evaluation", total=1, note="")
        while not evaluation.is_final:
            answering.sweep()
            evaluation.refresh_from_db()
            bars.update(bar, completed=evaluation.progress, note=evaluation.problem)
            if not evaluation.is_final:
                time.sleep(PAUSE)
        if evaluation.state != DONE:
            raise CommandError(f"{evaluation}: {evaluation.get_state_display()}. {evaluation.problem}")
        return evaluation

    def put_to_use(self, job, owner):
        known = Assistant.objects.filter(
            deployment__tuned_model=job.tuned, state__in=[ASKED, PUBLISHED]
        ).first()
        if known:
            return known
        assistant = Assistant.objects.start(job.tuned, by=owner)
        assistant.publish(by=owner)
        return assistant


def link(name, pk):
    return settings.SITE_URL + reverse(name, args=[pk])
