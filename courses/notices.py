"""What a person is told about a course: by mail once, and on its pages until they have put it away."""

from datetime import date

from django.db import models
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows, rights
from accounts.models import User
from common.days import closes, shuts_down


class Kind(models.TextChoices):
    JOB_SUCCEEDED = "job.succeeded", _("Training succeeded")
    JOB_FAILED = "job.failed", _("Training failed")
    JOB_CANCELLED = "job.cancelled", _("Training was cancelled")
    JOB_STUCK = "job.stuck", _("Training does not begin")
    EVALUATION_DONE = "evaluation.done", _("An evaluation is done")
    EVALUATION_FAILED = "evaluation.failed", _("An evaluation failed")
    MODEL_ENDS = "model.ends", _("A tuned model shuts down")
    BASE_ENDS = "base.ends", _("A base model shuts down")
    BASE_CLOSES = "base.closes", _("A base model closes for tuning")
    DEPLOYMENT_FAILED = "deployment.failed", _("A deployment failed")
    DEPLOYMENT_IDLE = "deployment.idle", _("A paid deployment is not used")
    DEPLOYMENT_STOPPED = "deployment.stopped", _("A deployment was taken down")


WARNINGS = [Kind.MODEL_ENDS, Kind.BASE_ENDS, Kind.BASE_CLOSES]
SENTENCES = {
    Kind.JOB_SUCCEEDED: _("Job %(job)s on %(base)s has trained a model. Ask it the held-out questions now."),
    Kind.JOB_FAILED: _("Job %(job)s on %(base)s failed. Its page says why and what to do."),
    Kind.JOB_CANCELLED: _("Job %(job)s on %(base)s was cancelled."),
    Kind.JOB_STUCK: _(
        "Job %(job)s on %(base)s: the provider has been checking its files for two hours. "
        "Cancel it and try again, or ask the provider."
    ),
    Kind.EVALUATION_DONE: _(
        "Evaluation %(evaluation)s of %(model)s is done. Its page says whether tuning helped."
    ),
    Kind.EVALUATION_FAILED: _("Evaluation %(evaluation)s of %(model)s failed. Its page says why."),
    Kind.MODEL_ENDS: _("The tuned model %(model)s %(ending)s. Train the same version elsewhere in time."),
    Kind.BASE_ENDS: _("The base model %(base)s %(ending)s, and what was tuned on it with it."),
    Kind.BASE_CLOSES: _("For the base model %(base)s %(ending)s."),
    Kind.DEPLOYMENT_FAILED: _("%(model)s could not be put up. The page of its job says why."),
    Kind.DEPLOYMENT_IDLE: _(
        "%(model)s costs money while it is up, and nobody has asked it anything for a week. Take it down?"
    ),
    Kind.DEPLOYMENT_STOPPED: _("%(model)s was taken down: the budget has no room for another day of it."),
}


class NoticeQuerySet(CourseRows):
    def tell(self, course, kind, key, people, **data):
        """One to each person; who has been told under this key is not told again."""
        told = [self.model(course=course, kind=kind, key=key, person=each, data=data) for each in people]
        self.make(told)

    def make(self, notices):
        self.bulk_create(notices, ignore_conflicts=True, batch_size=500)

    def to(self, person):
        return self.filter(person=person).order_by("-pk")

    def due(self, now):
        """Those whose letter is to leave."""
        return self.filter(mail_after__lte=now).order_by("mail_after", "pk")

    def claim(self, pk, now):
        """True for the one caller that may send the letter; it is not due again unless it is put back."""
        return bool(self.due(now).filter(pk=pk).order_by().update(mailed=now, mail_after=None))


class Notice(models.Model):
    """One line to one person. `key` says what it is about, before a colon, and which occasion, behind it."""

    course = models.ForeignKey("courses.Course", models.CASCADE, related_name="notices")
    person = models.ForeignKey(User, models.CASCADE, related_name="notices", verbose_name=_("person"))
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    key = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    made = models.DateTimeField(_("made"), default=timezone.now)
    mail_after = models.DateTimeField(null=True, default=timezone.now, db_index=True, editable=False)
    mailed = models.DateTimeField(_("mailed"), null=True, blank=True)
    seen = models.DateTimeField(_("put away"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()
    COURSE = "course"
    SEEN_WITH = "manage"

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "kind", "key", "person"], name="each_told_once")
        ]
        indexes = [models.Index(fields=["person", "course"], condition=models.Q(seen=None), name="unread")]
        verbose_name, verbose_name_plural = _("notice"), _("notices")

    def __str__(self):
        return self.get_kind_display()

    @property
    def about(self):
        return self.key.partition(":")[0]

    @property
    def is_warning(self):
        return self.kind in WARNINGS

    @property
    def text(self) -> str:
        """In the language of the moment, with the days that are left today."""
        return self.told()

    def told(self, today=None) -> str:
        words = {"ending": self._ending(today), **self.data}
        return SENTENCES[self.kind] % words

    def _ending(self, today):
        if "ends" not in self.data:
            return ""
        say = closes if self.kind == Kind.BASE_CLOSES else shuts_down
        return say(date.fromisoformat(self.data["ends"]), today)

    @property
    def path(self):
        """The page that says more."""
        name = "evaluation" if "evaluation" in self.data else "job"
        return reverse(name, args=[self.data[name]])

    @property
    def elsewhere(self):
        """Where the same version is trained with another provider; empty where that is not the point."""
        if not self.is_warning:
            return ""
        return f"{reverse('train', args=[self.data['version']])}?elsewhere={self.data['job']}"

    def put_away(self, now=None):
        """What was said before on the same matter goes with it."""
        same = models.Q(key=self.about) | models.Q(key__startswith=f"{self.about}:")
        mine = Notice.objects.filter(course=self.course_id, person=self.person_id, kind=self.kind, seen=None)
        mine.filter(same).update(seen=now or timezone.now())


def find_notice(pk, user):
    """One's own notice on a course that one may read; nobody else's is found."""
    notice = get_object_or_404(Notice.objects.to(user).select_related("course"), pk=pk)
    if "read" not in rights(user, notice.course):
        raise Http404
    return notice
