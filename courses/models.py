import hashlib

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.access import CourseRows
from accounts.models import User, record
from accounts.roles import ACTIONS, LABELS, Role, actions_of, codename
from common.states import Refused
from common.tokens import count
from courses import reading, sectioning

LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]


class CourseQuerySet(CourseRows):
    def with_progress(self):
        """Adds `text_count` and `token_count` of the current texts."""
        current = models.Q(sections__texts__state="current")
        return self.annotate(
            text_count=models.Count("sections__texts", filter=current),
            token_count=models.Sum("sections__texts__tokens", filter=current, default=0),
        ).order_by("title", "pk")

    @transaction.atomic
    def start(self, by, **fields):
        """A new course that belongs to the person who starts it."""
        course = self.model(**fields)
        course.full_clean()
        course.save()
        record(by, "course.start", course, course)
        course.set_role(by, Role.OWNER, by=by)
        return course


class Course(models.Model):
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True, validators=[MaxLengthValidator(5000)])
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    created = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CourseQuerySet.as_manager()
    COURSE = ""
    SEEN_WITH = "see"

    class Meta:
        ordering = ["title", "pk"]
        verbose_name, verbose_name_plural = _("course"), _("courses")
        permissions = [(codename(action), LABELS[action]) for action in sorted(ACTIONS - {"see"})]

    def __str__(self):
        return self.title

    @transaction.atomic
    def set_role(self, user, role, by=None):
        """Give this person this role and no other; the last owner cannot step down."""
        if role not in Role.values:
            raise ValidationError({"role": now_("There is no role “%s”.") % role})
        self._lock()
        before = self.memberships.filter(user=user).first()
        if before and before.role == Role.OWNER and role != Role.OWNER:
            self._keep_an_owner(user)
        self.memberships.update_or_create(user=user, defaults={"role": role})
        self._grant(user, actions_of(role))
        record(by, "member.set", user, self, role=str(role), before=before.role if before else None)

    @transaction.atomic
    def remove_member(self, user, by=None):
        self._lock()
        if self.memberships.filter(user=user, role=Role.OWNER).exists():
            self._keep_an_owner(user)
        self.memberships.filter(user=user).delete()
        self._grant(user, ())
        record(by, "member.remove", user, self)

    def _lock(self):
        """Of those who change this course at once, one does after the other."""
        Course.objects.select_for_update().get(pk=self.pk)

    def _keep_an_owner(self, leaving):
        if not self.memberships.filter(role=Role.OWNER).exclude(user=leaving).exists():
            raise Refused(now_("A course needs an owner. Make someone else owner first."))

    def _grant(self, user, actions):
        CourseUserPermission.objects.filter(content_object=self, user=user).delete()
        permissions = Permission.objects.filter(
            content_type=ContentType.objects.get_for_model(Course), codename__in=map(codename, actions)
        )
        CourseUserPermission.objects.bulk_create(
            CourseUserPermission(content_object=self, user=user, permission=each) for each in permissions
        )

    @property
    def holds_text(self):
        return Text.objects.current().of(self).exists()

    @transaction.atomic
    def add_text(self, name, data: bytes, by=None):
        """Read a file and cut it; the same bytes again change nothing, a changed file replaces its old text."""
        kind = reading.kind_of(name)
        content = reading.read(name, data)
        digest = hashlib.sha256(content.encode()).hexdigest()
        self._lock()
        before = Text.objects.current().of(self).filter(source_name=name).first()
        if before and before.sha256 == digest:
            return before
        text = Text(source_name=name, kind=kind, language=self.language, content=content, sha256=digest)
        if before:
            text.version = before.version + 1
            before.retire()
        text.cut(self)
        record(by, "text.add", text, self, sha256=digest, version=text.version)
        return text


class CourseUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Course, models.CASCADE)


class CourseGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Course, models.CASCADE)


class Membership(models.Model):
    course = models.ForeignKey(Course, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "course"
    SEEN_WITH = "see"

    class Meta:
        ordering = ["user__email"]
        constraints = [models.UniqueConstraint(fields=["course", "user"], name="one_role_per_person")]
        verbose_name, verbose_name_plural = _("membership"), _("memberships")

    def __str__(self):
        return f"{self.user}: {self.get_role_display()}"


class Section(models.Model):
    """A heading of the course. Splits go by section, so that no fact stands on both sides."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="sections")
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
