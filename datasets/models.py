from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import User, record
from common.states import IllegalMove, Refused, Stateful
from common.tokens import count_messages, text_of
from courses.models import Course, Passage, Section, Text
from datasets import building, formats, personal
from datasets.frozen import Version as Version
from datasets.frozen import VersionExample as VersionExample
from datasets.states import APPROVED, DRAFT, EXAMPLE_MOVES, REJECTED, ExampleState, Origin

KEPT = object()


class DatasetQuerySet(CourseRows):
    @transaction.atomic
    def start(self, course, title, instructions="", by=None):
        dataset = self.model(course=course, title=title, instructions=instructions)
        dataset.full_clean()
        dataset.save()
        record(by, "dataset.start", dataset, course)
        return dataset

    def with_counts(self):
        """Adds `total` and `approved` examples and `frozen` versions."""
        return self.annotate(
            total=models.Count("examples", distinct=True),
            approved=models.Count("examples", distinct=True, filter=models.Q(examples__state=APPROVED)),
            frozen=models.Count("versions", distinct=True),
        ).order_by("-pk")


class Dataset(models.Model):
    course = models.ForeignKey(Course, models.CASCADE, related_name="datasets")
    title = models.CharField(_("title"), max_length=200)
    instructions = models.TextField(
        _("instructions"),
        blank=True,
        validators=[MaxLengthValidator(8000)],
        help_text=_("The system message that every example begins with, in training and in use."),
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)

    objects = DatasetQuerySet.as_manager()
    COURSE = "course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("data set"), _("data sets")

    def __str__(self):
        return self.title

    def lock(self):
        """Of those who change this data set at once, one does after the other."""
        Dataset.objects.select_for_update().get(pk=self.pk)

    @transaction.atomic
    def build(self, by=None):
        """Make draft examples of every text of the course, with citations; what is there already stays."""
        self.lock()
        texts = list(Text.objects.current().of(self.course).select_related("section"))
        if not texts:
            raise Refused(now_("“%s” holds no text: choose a course that holds text.") % self.course)
        run = Generation.objects.create(dataset=self, by=by, settings={"method": "rules"})
        known = set(self.examples.values_list("sha256", flat=True))
        for text in texts:
            run.made += self._build_from(text, known, by)
        run.save(update_fields=["made"])
        record(by, "dataset.build", self, self.course, made=run.made)
        return run

    def _build_from(self, text, known, by):
        passages = list(text.passages.select_related("section"))
        examples, citations = [], []
        for pair in building.pairs(text.content, text.source_name.rsplit(".", 1)[0], text.language):
            cited = next((row for row in passages if row.start <= pair.start < row.end), None)
            example = Example.of_pair(self, pair.question, pair.answer, by)
            if cited is None or example.sha256 in known:
                continue
            known.add(example.sha256)
            example.section = cited.section
            examples.append(example)
            citations.append(
                Citation(example=example, passage=cited, start=pair.start, end=pair.end, quote=pair.answer)
            )
        Example.objects.bulk_create(examples, batch_size=500)
        Citation.objects.bulk_create(citations, batch_size=500)
        return len(examples)

    @transaction.atomic
    def write(self, messages, by=None, section=None, tools=None, origin=Origin.WRITTEN, rejected=None):
        """A new draft example, or ValidationError that names what is wrong."""
        example = Example(dataset=self, section=section, origin=origin, written_by=by, tools=tools)
        example.put(messages, rejected)
        self.lock()
        if self.examples.filter(sha256=example.sha256).exists():
            raise ValidationError(now_("The same example is in this data set already."))
        example.save()
        record(by, "example.write", example, self.course)
        return example

    @transaction.atomic
    def take_in(self, name, data: bytes, by=None, skip_bad=False):
        """Read a JSONL file: all of it, or with `skip_bad` what is good; the report names each bad line."""
        rows, problems = formats.read(data)
        report = Import(dataset=self, by=by, file=name[:255], sha256=formats.digest(data))
        report.problems = [{"line": line, "problem": problem} for line, problem in problems[:1000]]
        report.bad = len(problems)
        if not problems or (skip_bad and rows):
            self.lock()
            known = set(self.examples.values_list("sha256", flat=True))
            fresh = {}
            for row in rows:
                example = Example.of_row(self, row, by)
                if example.sha256 not in known:
                    fresh.setdefault(example.sha256, example)
            Example.objects.bulk_create(fresh.values(), batch_size=500)
            report.added, report.known = len(fresh), len(rows) - len(fresh)
        report.save()
        record(by, "dataset.import", self, self.course, file=report.file, added=report.added, bad=report.bad)
        return report

    def export(self):
        """All approved examples as JSONL, one line at a time."""
        for example in self.examples.approved().order_by("pk").iterator(chunk_size=500):
            yield example.line(self.instructions) + "\n"

    @transaction.atomic
    def approve_drafts(self, by=None):
        """Approve every draft; how many there were."""
        drafts = list(self.examples.filter(state=DRAFT).select_for_update().values_list("pk", flat=True))
        for start in range(0, len(drafts), 500):
            some = drafts[start : start + 500]
            self.examples.filter(pk__in=some).update(state=APPROVED)
            Review.objects.bulk_create(
                [Review(example_id=pk, person=by, decision=APPROVED, note=now_("all drafts")) for pk in some]
            )
        record(by, "dataset.approve_drafts", self, self.course, count=len(drafts))
        return len(drafts)


class ExampleQuerySet(CourseRows):
    def approved(self):
        return self.filter(state=APPROVED)

    def in_state(self, state):
        return self.filter(state=state) if state in ExampleState.values else self

    def with_personal(self):
        return self.exclude(personal=[])


class Example(Stateful):
    """A chat that shows the model what to answer."""

    MOVES = EXAMPLE_MOVES

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="examples")
    section = models.ForeignKey(Section, models.SET_NULL, null=True, blank=True, related_name="examples")
    messages = models.JSONField(_("messages"))
    rejected = models.JSONField(
        _("worse answer"),
        null=True,
        blank=True,
        help_text=_("A message that the answer is to be preferred to; it is used where preferences train."),
    )
    tools = models.JSONField(_("tools"), null=True, blank=True)
    parallel_tool_calls = models.BooleanField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=ExampleState.choices, default=DRAFT)
    origin = models.CharField(_("origin"), max_length=16, choices=Origin.choices, default=Origin.WRITTEN)
    tokens = models.PositiveIntegerField(_("tokens"), default=0)
    personal = models.JSONField(_("personal data"), default=list, blank=True)
    sha256 = models.CharField(max_length=64)
    written_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    changed = models.DateTimeField(_("changed"), auto_now=True)

    objects = ExampleQuerySet.as_manager()
    COURSE = "dataset__course"

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dataset", "sha256"], name="no_example_twice")]
        indexes = [models.Index(fields=["dataset", "state"])]
        verbose_name, verbose_name_plural = _("example"), _("examples")

    def __str__(self):
        return now_("Example %s") % self.pk

    @classmethod
    def of_pair(cls, dataset, question, answer, by):
        example = cls(dataset=dataset, origin=Origin.GENERATED, written_by=by)
        example.put([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
        return example

    @classmethod
    def of_row(cls, dataset, row, by):
        example = cls(
            dataset=dataset, origin=Origin.IMPORTED, written_by=by, tools=row.tools,
            parallel_tool_calls=row.parallel_tool_calls,
        )  # fmt: skip
        example.put(row.messages, row.rejected)
        return example

    def put(self, messages, rejected=None):
        """Set the conversation and what follows from it: its tokens, its hash, the personal data in it."""
        try:
            formats.check_messages(messages)
            if rejected is not None:
                formats.check_rejected(messages, rejected)
        except formats.BadRow as problem:
            raise ValidationError({"messages": str(problem)}) from problem
        self.messages, self.rejected = messages, rejected
        self.tokens = count_messages(messages)
        line = formats.line_of(messages, self.tools)
        self.sha256 = formats.digest(line if rejected is None else f"{line}\n{formats.canonical(rejected)}")
        self.look_for_personal()

    def look_for_personal(self):
        self.personal = personal.in_messages(self.all_messages, self.dataset.course.language)

    @property
    def all_messages(self):
        """The conversation, and the worse answer where there is one."""
        return [*self.messages, self.rejected] if self.rejected else self.messages

    @transaction.atomic
    def rewrite(self, messages, by=None, rejected=KEPT):
        """Other words: the example is a draft again, as nobody has approved them."""
        self.put(messages, self.rejected if rejected is KEPT else rejected)
        self.dataset.lock()
        if self.dataset.examples.filter(sha256=self.sha256).exclude(pk=self.pk).exists():
            raise ValidationError(now_("The same example is in this data set already."))
        if self.state != DRAFT:
            self._move(DRAFT, by=by)
        self.save()
        record(by, "example.rewrite", self, self.dataset.course)

    def redact(self, by=None):
        """Put placeholders in place of personal data; it is a draft again."""
        if self.state == REJECTED:
            raise IllegalMove(now_("%s is rejected and trains nothing. Approve it first.") % self)
        messages = personal.redacted(self.all_messages, self.dataset.course.language)
        if messages == self.all_messages:
            raise Refused(now_("No personal data is found in %s.") % self)
        rejected = messages.pop() if self.rejected else None
        self.rewrite(messages, by=by, rejected=rejected)

    def approve(self, by=None, note=""):
        self._move(APPROVED, by=by, note=note)

    def reject(self, by=None, note=""):
        self._move(REJECTED, by=by, note=note)

    def _remember(self, to, by, note):
        self.reviews.create(person=by, decision=to, note=note[:2000])

    @transaction.atomic
    def remove(self, by=None):
        record(by, "example.remove", self, self.dataset.course)
        self.delete()

    @property
    def question(self):
        return next((text_of(each) for each in self.messages if each["role"] == "user"), "")

    @property
    def answer(self):
        return text_of(self.messages[-1])

    def with_instructions(self, instructions):
        """The conversation as it is trained: with the instructions in front, where it brings none of its own."""
        if not instructions or self.messages[0]["role"] in ("system", "developer"):
            return self.messages
        return [{"role": "system", "content": instructions}, *self.messages]

    def line(self, instructions=""):
        return formats.line_of(self.with_instructions(instructions), self.tools, self.parallel_tool_calls)


class Citation(models.Model):
    """Where an answer stands in the course: `quote` is verbatim, offsets count characters of the text."""

    example = models.ForeignKey(Example, models.CASCADE, related_name="citations")
    passage = models.ForeignKey(Passage, models.CASCADE, related_name="citations")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    quote = models.TextField()

    objects = CourseRows.as_manager()
    COURSE = "example__dataset__course"

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("citation"), _("citations")

    def __str__(self):
        return f"{self.passage} {self.start}–{self.end}"

    @property
    def is_current(self):
        """False when the text has been replaced since, or the quote does not stand there."""
        text = self.passage.text
        return text.state == Text.State.CURRENT and text.content[self.start : self.end] == self.quote


class Generation(models.Model):
    """One run that made examples, with its settings and what came of it."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="generations")
    settings = models.JSONField(default=dict)
    made = models.PositiveIntegerField(_("made"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=6, default=0)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "dataset__course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("generation"), _("generations")

    def __str__(self):
        return f"{self.dataset} +{self.made}"


class Import(models.Model):
    """One file that was brought in, with the lines that could not be."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="imports")
    file = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    added = models.PositiveIntegerField(_("added"), default=0)
    known = models.PositiveIntegerField(_("there already"), default=0)
    bad = models.PositiveIntegerField(_("bad lines"), default=0)
    problems = models.JSONField(default=list)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "dataset__course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("import"), _("imports")

    def __str__(self):
        return self.file


class Review(models.Model):
    example = models.ForeignKey(Example, models.CASCADE, related_name="reviews")
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decision = models.CharField(max_length=16, choices=ExampleState.choices)
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "example__dataset__course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("review"), _("reviews")

    def __str__(self):
        return f"{self.example}: {self.get_decision_display()}"
