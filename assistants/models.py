from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows, courses_where
from accounts.approving import check_second_person
from accounts.models import User, record
from common.states import Stateful
from courses.models import Course
from finetuning.models import Deployment
from providers.models import Model


class AssistantState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PROPOSED = "proposed", _("waiting for approval")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")


DRAFT, PROPOSED, PUBLISHED, ARCHIVED = AssistantState


class AssistantQuerySet(CourseRows):
    def visible_to(self, user):
        """Published ones to whoever may chat on the course, all of them to those who read it."""
        published = models.Q(state=PUBLISHED, course__in=courses_where(user, "chat").values("pk"))
        return self.filter(published | models.Q(course__in=courses_where(user, "read").values("pk")))

    @transaction.atomic
    def start(self, tuned_model, title="", by=None):
        """A draft assistant that speaks through this model with the instructions it was trained on."""
        version = tuned_model.job.version
        assistant = self.model(
            course=version.dataset.course, deployment=tuned_model.callable_deployment(),
            title=title or version.dataset.course.title, instructions=version.instructions,
        )  # fmt: skip
        assistant.full_clean()
        assistant.save()
        record(by, "assistant.start", assistant, assistant.course, model=tuned_model.name)
        return assistant


class Assistant(Stateful):
    """A tuned model in use. Its instructions are sent before every conversation."""

    MOVES = {
        DRAFT: [PROPOSED, PUBLISHED, ARCHIVED],
        PROPOSED: [DRAFT, PUBLISHED, ARCHIVED],
        PUBLISHED: [DRAFT, ARCHIVED],
        ARCHIVED: [DRAFT],
    }

    course = models.ForeignKey(Course, models.CASCADE, related_name="assistants")
    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="assistants")
    title = models.CharField(_("title"), max_length=200)
    instructions = models.TextField(_("instructions"), blank=True, validators=[MaxLengthValidator(8000)])
    state = models.CharField(_("state"), max_length=16, choices=AssistantState.choices, default=DRAFT)
    proposed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created = models.DateTimeField(_("created"), auto_now_add=True)

    objects = AssistantQuerySet.as_manager()
    COURSE = "course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("assistant"), _("assistants")

    def __str__(self):
        return self.title

    @property
    def seen_with(self):
        return {"read", "chat"} if self.state == PUBLISHED else {"read"}

    @property
    def base(self) -> Model:
        return self.deployment.tuned_model.job.model

    @property
    def api_name(self):
        """The `model` by which an OpenAI client calls it."""
        return f"assistant-{self.pk}"

    def publish(self, by=None):
        """Open it to everyone on the course; under the two-person rule, ask for that."""
        if self.course.two_person:
            self._move(PROPOSED, by=by, sources=[DRAFT], proposed_by=by)
        else:
            self._move(PUBLISHED, by=by, sources=[DRAFT])

    @transaction.atomic
    def approve(self, by):
        """A second person agrees to the publication, whoever has asked for it last."""
        here = Assistant.objects.select_for_update().get(pk=self.pk)
        if here.state == PROPOSED:
            check_second_person(by, here.proposed_by)
        self._move(PUBLISHED, by=by, sources=[PROPOSED])

    def withdraw(self, by=None):
        self._move(DRAFT, by=by, sources=[PROPOSED, PUBLISHED])

    def archive(self, by=None):
        self._move(ARCHIVED, by=by)

    def restore(self, by=None):
        self._move(DRAFT, by=by, sources=[ARCHIVED])

    def _remember(self, to, by, note):
        record(by, f"assistant.{to}", self, self.course, before=self.state, after=to)

    def briefed(self, messages):
        """The messages with our instructions in front, where they bring none of their own."""
        if not self.instructions or messages[0]["role"] in ("system", "developer"):
            return messages
        return [{"role": "system", "content": self.instructions}, *messages]


class Conversation(models.Model):
    assistant = models.ForeignKey(Assistant, models.CASCADE, related_name="conversations")
    user = models.ForeignKey(User, models.CASCADE, related_name="conversations")
    begun = models.DateTimeField(auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "assistant__course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("conversation"), _("conversations")

    def __str__(self):
        return f"{self.assistant} {self.begun:%Y-%m-%d %H:%M}"


class Message(models.Model):
    class Side(models.TextChoices):
        ASKED = "asked", _("question")
        TUNED = "tuned", _("tuned model")
        BASE = "base", _("base model")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    side = models.CharField(max_length=8, choices=Side.choices)
    text = models.TextField()
    prompt_tokens = models.PositiveIntegerField(default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    at = models.DateTimeField(auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "conversation__assistant__course"

    class Meta:
        ordering = ["pk"]
        verbose_name, verbose_name_plural = _("message"), _("messages")

    def __str__(self):
        return self.text[:80]


class Feedback(models.Model):
    """What a person thinks of an answer."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="feedback")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    good = models.BooleanField()
    note = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = CourseRows.as_manager()
    COURSE = "message__conversation__assistant__course"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="one_opinion_each")]
        verbose_name = verbose_name_plural = _("feedback")

    def __str__(self):
        return "+" if self.good else "−"


class Quota(models.Model):
    """How many answers a course's assistants give in a month; `used` grows by conditional UPDATE."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="quotas")
    month = models.DateField(_("month"))
    limit = models.PositiveIntegerField(_("limit, answers"))
    used = models.PositiveIntegerField(_("used, answers"), default=0)

    objects = CourseRows.as_manager()
    COURSE = "course"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "month"], name="one_quota_a_month")]
        verbose_name, verbose_name_plural = _("quota"), _("quotas")

    def __str__(self):
        return f"{self.course} {self.month:%Y-%m}"
