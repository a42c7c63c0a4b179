"""What a course says: its texts, the sections of their headings, the passages cut from them."""

import hashlib

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import record
from common import personal
from common.tokens import count
from courses import sectioning


class Section(models.Model):
    """A heading of the course. Splits go by section, so that no fact stands on both sides."""

    course = models.ForeignKey("courses.Course", models.CASCADE, related_name="sections")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    title = models.CharField(_("title"), max_length=200)
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = CourseRows.as_manager()
    COURSE = "course"
    SEEN_WITH = "see"

    class Meta:
        ordering = ["position", "pk"]
        verbose_name, verbose_name_plural = _("section"), _("sections")

    def __str__(self):
        return self.title


class TextQuerySet(CourseRows):
    def current(self):
        return self.filter(state=Text.State.CURRENT)

    def with_personal(self):
        return self.exclude(personal=[])

    def with_passages(self):
        """Adds `passage_count`; leaves the long content in the database."""
        counted = self.annotate(passage_count=models.Count("passages"))
        return counted.defer("content").select_related("section").order_by("section__position", "pk")


class Text(models.Model):
    class State(models.TextChoices):
        CURRENT = "current", _("current")
        REPLACED = "replaced", _("replaced")

    section = models.ForeignKey(Section, models.CASCADE, related_name="texts")
    source_name = models.CharField(_("file"), max_length=255)
    kind = models.CharField(_("kind"), max_length=16)
    language = models.CharField(_("language"), max_length=8)
    content = models.TextField(_("text"))
    sha256 = models.CharField(max_length=64)
    tokens = models.PositiveIntegerField(_("tokens"), default=0)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.CURRENT)
    version = models.PositiveIntegerField(_("version"), default=1)
    personal = models.JSONField(_("personal data"), default=list, blank=True)
    added = models.DateTimeField(_("added"), auto_now_add=True)

    objects = TextQuerySet.as_manager()
    COURSE = "section__course"
    SEEN_WITH = "see"

    class Meta:
        ordering = ["section__position", "pk"]
        verbose_name, verbose_name_plural = _("text"), _("texts")

    def __str__(self):
        return self.source_name

    def cut(self, course):
        """Make the sections of its headings, save it under the first, and keep its passages."""
        self.look_for_personal()
        parts = sectioning.headings(self.content, self.source_name.rsplit(".", 1)[0])
        sections = self._sections(course, parts)
        self.section = sections[0]
        self.tokens = 0
        self.save()
        rows = []
        for section, part in zip(sections, parts, strict=True):
            for start, end, tokens in sectioning.passages(self.content, part.start, part.end):
                rows.append(Passage.of_text(self, section, len(rows), start, end, tokens))
        Passage.objects.bulk_create(rows, batch_size=500)
        self.tokens = sum(row.tokens for row in rows)
        self.save(update_fields=["tokens"])

    def _sections(self, course, parts):
        """One row a heading, under the nearest higher one; a heading that stood there before is taken up again."""
        position = course.sections.aggregate(last=models.Max("position"))["last"] or 0
        open_ones, made = [], []
        for part in parts:
            while open_ones and open_ones[-1][0] >= part.level:
                open_ones.pop()
            parent = open_ones[-1][1] if open_ones else None
            section = course.sections.filter(parent=parent, title=part.title).first()
            if section is None or section in made:
                position += 1
                section = course.sections.create(parent=parent, title=part.title, position=position)
            open_ones.append((part.level, section))
            made.append(section)
        return made

    def look_for_personal(self):
        self.personal = personal.kept(self.content, self.language)

    def retire(self):
        """Keep the old text for the citations that point at it; show and build from the new one."""
        Text.objects.filter(pk=self.pk).update(state=Text.State.REPLACED)

    @transaction.atomic
    def remove(self, by=None):
        record(by, "text.remove", self, self.section.course, sha256=self.sha256)
        self.retire()


class Passage(models.Model):
    text = models.ForeignKey(Text, models.CASCADE, related_name="passages")
    section = models.ForeignKey(Section, models.CASCADE, related_name="passages")
    position = models.PositiveIntegerField()
    start = models.PositiveIntegerField(help_text=_("in characters of the text"))
    end = models.PositiveIntegerField()
    tokens = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    objects = CourseRows.as_manager()
    COURSE = "section__course"
    SEEN_WITH = "see"

    class Meta:
        ordering = ["text", "position"]
        verbose_name, verbose_name_plural = _("passage"), _("passages")

    def __str__(self):
        return f"{self.text} {self.start}–{self.end}"

    @classmethod
    def of_text(cls, text, section, position, start, end, tokens=None):
        quote = text.content[start:end]
        return cls(
            text=text, section=section, position=position, start=start, end=end,
            tokens=count(quote) if tokens is None else tokens,
            sha256=hashlib.sha256(quote.encode()).hexdigest(),
        )  # fmt: skip

    @property
    def quote(self) -> str:
        return self.text.content[self.start : self.end]

    @property
    def pieces(self):
        """The quote cut for a page: (piece, what personal data it is or "")."""
        return personal.pieces(self.quote, self.text.personal, self.start)
