from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.mixins import GuardianUserMixin

LANGUAGES = [("en", "English"), ("ru", "Русский")]


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        """A person who signs in by email; without a password, one who only holds tokens."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    @classmethod
    def normalize_email(cls, email):
        return (email or "").strip().lower()

    def get_by_natural_key(self, email):
        return self.get(email=self.normalize_email(email))


class User(GuardianUserMixin, AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=8, default="en", choices=LANGUAGES)
    is_instructor = models.BooleanField(_("may create courses"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = EMAIL_FIELD = "email"

    class Meta:
        verbose_name, verbose_name_plural = _("person"), _("people")

    def __str__(self):
        return self.name or self.email

    @property
    def may_create_courses(self):
        return self.is_instructor or self.is_staff


class AuditEntry(models.Model):
    """Who did what to which object when. It outlives what it speaks of, so it holds plain keys."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("who"))
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=200)
    object_label = models.CharField(_("object"), max_length=200)
    course_id = models.BigIntegerField(_("course"), null=True, db_index=True)
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("audit entry"), _("audit entries")

    def __str__(self):
        return f"{self.action} {self.object_label}"


def record(by, action, row, course=None, **details):
    """Write to the audit trail; called by the verbs, in their transaction."""
    return AuditEntry.objects.create(
        actor=by if getattr(by, "pk", None) else None,
        action=action,
        object_type=row._meta.label,
        object_id=str(row.pk),
        object_label=str(row)[:200],
        course_id=getattr(course, "pk", None),
        details=details,
    )
