from zoneinfo import available_timezones

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _
from guardian.mixins import GuardianUserMixin
from knox.models import AbstractAuthToken

from accounts.roles import SCOPES
from accounts.scopes import Scope
from common.request import origin
from common.states import Refused

LANGUAGES = [("en", "English"), ("ru", "Русский")]


def check_time_zone(name):
    if name not in available_timezones():
        raise ValidationError(now_("There is no time zone “%s”.") % name)


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

    def known(self, email):
        """The person who signs in with this email, or None."""
        people = self.filter(is_active=True, is_service=False)
        return people.filter(email=self.normalize_email(email)).first()

    def get_by_natural_key(self, email):
        return self.get(email=self.normalize_email(email))


class User(GuardianUserMixin, AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email, or a service account: a program of one course that only holds tokens."""

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=8, default="en", choices=LANGUAGES)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[check_time_zone],
        help_text=_("such as Europe/Berlin; empty: that of this server"),
    )  # fmt: skip
    is_instructor = models.BooleanField(_("may create courses"), default=False)
    is_service = models.BooleanField(_("service account"), default=False)
    serves = models.ForeignKey(
        "courses.Course", models.SET_NULL, null=True, blank=True, related_name="services",
        verbose_name=_("serves the course"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined = models.DateTimeField(_("joined"), auto_now_add=True)
    forgotten = models.DateTimeField(_("forgotten"), null=True, blank=True)

    objects = UserManager()
    USERNAME_FIELD = EMAIL_FIELD = "email"

    class Meta:
        verbose_name, verbose_name_plural = _("person"), _("people")

    def __str__(self):
        return now_("former member") if self.forgotten else self.name or self.email

    @property
    def called(self):
        """What to call them before people who have no business with their email."""
        return self.name or (str(self) if self.forgotten else self.email.split("@")[0])

    @property
    def may_create_courses(self):
        return (self.is_instructor or self.is_staff) and not self.is_service

    def keep_a_chief(self):
        """Refused where this is the last person who may do everything on this site; to be called in a transaction."""
        chiefs = User.objects.filter(is_active=True, is_staff=True, is_superuser=True).order_by("pk")
        if list(chiefs.select_for_update().values_list("pk", flat=True)) == [self.pk]:
            raise Refused(now_("This is the last active superuser. Make someone else superuser first."))

    @transaction.atomic
    def forget(self, by=None):
        """Take away what is theirs alone; what they made for a course stays, made by nobody in particular.

        Refused while they are the last owner of a course, or the last superuser.
        """
        self.keep_a_chief()
        for membership in self.memberships.select_related("course"):
            membership.course.remove_member(self, by=by)
        for relation in self._meta.related_objects:
            if relation.on_delete is models.CASCADE:
                relation.related_model._base_manager.filter(**{relation.field.name: self}).delete()
        apps.get_model("courses", "Invitation").objects.filter(email=self.email).delete()
        self.groups.clear()
        self.user_permissions.clear()
        self.email, self.name, self.forgotten = f"gone-{self.pk}@person.invalid", "", timezone.now()
        self.is_active = self.is_staff = self.is_superuser = self.is_instructor = False
        self.set_unusable_password()
        self.save()
        record(by, "person.forget", self)


class Token(AbstractAuthToken):
    """Lets a program in as its owner, as far as its scopes and courses reach; only a hash of it is kept."""

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, blank=True)
    scopes = models.JSONField(_("scopes"), default=list)
    every_course = models.BooleanField(_("every course of the owner"), default=True)
    courses = models.ManyToManyField(
        "courses.Course", blank=True, related_name="+", verbose_name=_("courses")
    )
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("token"), _("tokens")

    def __str__(self):
        return f"{self.token_key[:8]}…"

    @property
    def scope(self) -> Scope:
        courses = None if self.every_course else frozenset(self.courses.values_list("pk", flat=True))
        return Scope(frozenset(self.scopes) & frozenset(SCOPES), courses)


class AuditEntry(models.Model):
    """Who did what to which object when. It outlives what it speaks of, so it holds plain keys.

    The database refuses to change or delete a row: see triggers.py. It holds no name and no email.
    """

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("who"))
    role = models.CharField(_("as"), max_length=16, blank=True)
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=200)
    object_label = models.CharField(_("object"), max_length=200)
    course_id = models.BigIntegerField(_("course"), null=True, db_index=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    details = models.JSONField(_("details"), default=dict)
    address = models.GenericIPAddressField(_("address"), null=True)
    request_id = models.CharField(_("request"), max_length=32, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("audit entry"), _("audit entries")

    def __str__(self):
        return f"{self.action} {self.object_label}"


def record(by, action, row, course=None, before=None, after=None, **details):
    """Write to the audit trail; called by the verbs, in their transaction."""
    here = origin()
    return AuditEntry.objects.create(
        actor=by if getattr(by, "pk", None) else None,
        role=_role(by, course),
        action=action,
        object_type=row._meta.label,
        object_id=str(row.pk),
        object_label=_label(row),
        course_id=getattr(course, "pk", None),
        before=before,
        after=after,
        details=details,
        address=here.address,
        request_id=here.id,
    )


def _role(by, course):
    """In what capacity somebody acts: by their role on the course, else by their standing on the site."""
    if not getattr(by, "pk", None):
        return ""
    role = course and by.memberships.filter(course_id=course.pk).values_list("role", flat=True).first()
    return role or ("superuser" if by.is_superuser else "staff" if by.is_staff else "")


def _label(row):
    """Entries are for good, so people stand in them as numbers."""
    return f"person {row.pk}" if isinstance(row, User) else str(row)[:200]
