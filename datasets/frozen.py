"""What a data set was when it was frozen. These rows are written once and never change."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import User
from common.tokens import text_of
from courses.models import Section
from datasets import formats
from datasets.states import Split


class Version(models.Model):
    """A frozen data set: what it holds never changes, so whatever points at it stays true."""

    dataset = models.ForeignKey("datasets.Dataset", models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("number"))
    seed = models.PositiveIntegerField(_("split seed"))
    instructions = models.TextField(_("instructions"), blank=True)
    statistics = models.JSONField(_("statistics"))
    checks = models.JSONField(_("checks"))
    files = models.JSONField(_("files"))
    frozen = models.DateTimeField(_("frozen"), auto_now_add=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = CourseRows.as_manager()
    COURSE = "dataset__course"

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="version_numbers_once")]
        verbose_name, verbose_name_plural = _("version"), _("versions")

    def __str__(self):
        return f"{self.dataset} v{self.number}"

    def jsonl(self, split, preferences=False) -> bytes:
        """The file of a split, byte for byte as it was frozen; or the preference rows of it."""
        rows = self.examples.filter(split=split).order_by("position")
        if preferences:
            lines = [row.preference for row in rows.exclude(rejected=None)]
        else:
            lines = rows.values_list("line", flat=True)
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def training_tokens(self):
        return self.statistics[Split.TRAIN]["tokens"]

    def trained(self, preferences=False) -> dict:
        """{"examples", "tokens"} of the training file; both answers of a preference are counted."""
        count = self.statistics[Split.TRAIN]
        if preferences:
            return count.get("preferences", {"examples": 0, "tokens": 0})
        return {"examples": count["examples"], "tokens": count["tokens"]}


class VersionExample(models.Model):
    """An example as it was frozen: `line` is its row of the JSONL file, without the line end."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="examples")
    example = models.ForeignKey("datasets.Example", models.SET_NULL, null=True, related_name="frozen")
    section = models.ForeignKey(Section, models.SET_NULL, null=True, related_name="+")
    split = models.CharField(max_length=16, choices=Split.choices)
    position = models.PositiveIntegerField()
    line = models.TextField()
    rejected = models.JSONField(_("worse answer"), null=True, blank=True)
    tokens = models.PositiveIntegerField()

    objects = CourseRows.as_manager()
    COURSE = "version__dataset__course"

    class Meta:
        ordering = ["version", "position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="frozen_in_order")]
        verbose_name, verbose_name_plural = _("frozen example"), _("frozen examples")

    def __str__(self):
        return f"{self.version} #{self.position}"

    @property
    def preference(self):
        """Its row where preferences train, without the line end."""
        return formats.preference_of(formats.parse(self.line.encode()), self.rejected)

    @property
    def messages(self):
        return formats.parse(self.line.encode())["messages"]

    @property
    def prompt(self):
        """What the model is asked: all but the last message."""
        return self.messages[:-1]

    @property
    def question(self):
        return next((text_of(each) for each in reversed(self.prompt) if each["role"] == "user"), "")

    @property
    def answer(self):
        return text_of(self.messages[-1])
