import hashlib
import secrets
from datetime import timedelta
from graphlib import TopologicalSorter

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.access import CourseRows, rights
from accounts.models import User, record
from accounts.roles import ACTIONS, LABELS, Role, actions_of, codename
from common.states import Refused
from courses import reading
from courses.notices import Notice as Notice
from courses.texts import Passage as Passage
from courses.texts import Section as Section
from courses.texts import Text

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
    two_person = models.BooleanField(
        _("two-person rule"),
        default=False,
        help_text=_("A paid job or a publication needs the approval of a second owner or of staff."),
    )
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
        if user.is_service and (role == Role.OWNER or user.serves_id != self.pk):
            raise ValidationError({"role": now_("A program serves one course, and does not own it.")})
        self._lock()
        before = self.memberships.filter(user=user).first()
        if before and before.role == Role.OWNER and role != Role.OWNER:
            self._keep_an_owner(user)
        self.memberships.update_or_create(user=user, defaults={"role": role})
        self._grant(user, actions_of(role))
        record(
            by, "member.set", user, self,
            before={"role": before.role} if before else None, after={"role": str(role)},
        )  # fmt: skip

    @transaction.atomic
    def remove_member(self, user, by=None):
        """Take a person's role away; one may leave by oneself, but not as the last owner."""
        self._lock()
        before = self.memberships.filter(user=user).first()
        if before is None:
            return
        if before.role == Role.OWNER:
            self._keep_an_owner(user)
        record(by, "member.remove", user, self, before={"role": before.role})
        before.delete()
        self._grant(user, ())

    @transaction.atomic
    def invite(self, email, role, by=None):
        """(invitation, secret): the secret is the end of the link; only its hash is kept. An older link dies."""
        secret, email = secrets.token_urlsafe(32), User.objects.normalize_email(email)
        for older in self.invitations.open().filter(email=email):
            older.revoke(by=by)
        invitation = Invitation(
            course=self, email=email, role=role, by=by, digest=hashlib.sha256(secret.encode()).hexdigest(),
            expires=timezone.now() + timedelta(days=Invitation.DAYS),
        )  # fmt: skip
        invitation.full_clean()
        invitation.save()
        record(by, "invitation.make", invitation, self, role=str(role))
        return invitation, secret

    @transaction.atomic
    def add_service(self, name, role, by=None):
        """A program of this course: it has a role, holds tokens and no password."""
        email = f"service-{secrets.token_hex(6)}@course-{self.pk}.invalid"
        pk = User.objects.create_user(email, name=name, is_service=True, serves=self).pk
        service = Service.objects.get(pk=pk)
        record(by, "service.make", service, self, role=str(role))
        self.set_role(service, role, by=by)
        return service

    @transaction.atomic
    def hand_over(self, to, by):
        """Make another member owner in one's own place; who hands over stays as editor."""
        self._lock()
        if to == by or not self.memberships.filter(user=to).exists():
            raise Refused(now_("Choose another member of the course as its owner."))
        self.set_role(to, Role.OWNER, by=by)
        self.set_role(by, Role.EDITOR, by=by)

    @transaction.atomic
    def change(self, by=None, **fields):
        """Other words on its cover; ValidationError names the field that is wrong."""
        self._lock()
        here = Course.objects.get(pk=self.pk)
        before = {name: getattr(here, name) for name in fields if getattr(here, name) != fields[name]}
        for name, value in fields.items():
            setattr(self, name, value)
        self.full_clean()
        self.save(update_fields=list(fields))
        if before:
            record(
                by, "course.change", self, self, before=before, after={each: fields[each] for each in before}
            )

    @transaction.atomic
    def set_two_person(self, wanted, by):
        """Owners may put the rule in force; only staff may lift it, or it would bind nobody."""
        if self.two_person and not wanted and not by.is_staff:
            raise Refused(now_("Only staff may lift the two-person rule."))
        if self.two_person != wanted:
            record(by, "course.two_person", self, self, before=self.two_person, after=wanted)
            self.two_person = wanted
            self.save(update_fields=["two_person"])

    @transaction.atomic
    def remove(self, by=None):
        """Delete the course and all that lies below it; the audit trail keeps what was done on it."""
        self._lock()
        record(by, "course.remove", self, self, texts=Text.objects.current().of(self).count())
        self.services.update(is_active=False)
        for model in _below():
            model.objects.of(self).delete()
        self.delete()

    def _lock(self):
        """Of those who change this course at once, one does after the other."""
        Course.objects.select_for_update().get(pk=self.pk)

    def _keep_an_owner(self, leaving):
        if not self.memberships.filter(role=Role.OWNER).exclude(user=leaving).exists():
            raise Refused(
                now_("“%s” needs an owner. Make someone else owner first, or delete the course.") % self
            )

    def _grant(self, user, actions):
        user.__dict__.pop("_rights", None)
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


def _below():
    """The models of what belongs to a course, each after those that point at it."""
    found = {each for each in apps.get_models() if getattr(each, "COURSE", "") and not each._meta.proxy}
    pointing = {each: {relation.related_model for relation in each._meta.related_objects} for each in found}
    return TopologicalSorter({each: pointing[each] & found - {each} for each in found}).static_order()


class CourseUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Course, models.CASCADE)


class CourseGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Course, models.CASCADE)


class MembershipQuerySet(CourseRows):
    def shown_to(self, may):
        """Those whom somebody with these rights gets to see: students see who teaches, not each other."""
        rows = self.select_related("user").order_by("user__name", "pk")
        return rows if "read" in may else rows.exclude(role=Role.STUDENT)

    def others(self, user):
        """The people beside this one."""
        return self.select_related("user").filter(user__is_service=False).exclude(user=user)


class Membership(models.Model):
    course = models.ForeignKey(Course, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    objects = MembershipQuerySet.as_manager()
    COURSE = "course"
    SEEN_WITH = "see"

    class Meta:
        ordering = ["user__email"]
        constraints = [models.UniqueConstraint(fields=["course", "user"], name="one_role_per_person")]
        verbose_name, verbose_name_plural = _("membership"), _("memberships")

    def __str__(self):
        return f"{self.user}: {self.get_role_display()}"


class ServiceQuerySet(CourseRows):
    def with_tokens(self):
        roles = models.Prefetch("memberships", Membership.objects.all())
        return self.filter(is_active=True).prefetch_related("auth_token_set", roles).order_by("pk")


class ServiceManager(models.Manager.from_queryset(ServiceQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(is_service=True, serves__isnull=False)


class Service(User):
    """A program that serves one course: it has a role there and tokens, and no password."""

    objects = ServiceManager()
    COURSE = "serves"
    SEEN_WITH = "publish"

    class Meta:
        proxy = True
        verbose_name, verbose_name_plural = _("service account"), _("service accounts")

    @transaction.atomic
    def retire(self, by=None):
        """End it: its tokens open nothing any more; what it did stays under its number."""
        record(by, "service.retire", self, self.serves)
        self.auth_token_set.all().delete()
        self.serves.remove_member(self, by=by)
        Service.objects.filter(pk=self.pk).update(is_active=False)


class InvitationQuerySet(CourseRows):
    def open(self):
        return self.filter(accepted=None, revoked=None, expires__gt=timezone.now())

    def named(self, secret):
        """The open invitation that this secret stands for, whose sender may still manage the course; or None."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        found = self.open().select_related("course", "by").filter(digest=digest).first()
        return found if found and found.by and "manage" in rights(found.by, found.course) else None


class Invitation(models.Model):
    """A role on a course for whoever reads mail at this address: a link that works once, for some days."""

    DAYS = 7

    course = models.ForeignKey(Course, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("email"))
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by"))
    made = models.DateTimeField(_("made"), auto_now_add=True)
    expires = models.DateTimeField(_("expires"))
    accepted = models.DateTimeField(_("accepted"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()
    COURSE = "course"
    SEEN_WITH = "manage"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("invitation"), _("invitations")

    def __str__(self):
        return now_("Invitation %s") % self.pk

    @property
    def is_open(self):
        return self.accepted is None and self.revoked is None and self.expires > timezone.now()

    @transaction.atomic
    def enrol(self, name, password):
        """A new person with the email of the invitation, who has accepted it."""
        person = User.objects.create_user(self.email, password, name=name, language=self.course.language)
        self.accept(person)
        return person

    @transaction.atomic
    def accept(self, person):
        """Give the person the role; of two who follow the link at once, one gets in."""
        if person.email != self.email:
            raise Refused(now_("This invitation is for another email address. Sign in with that one."))
        self._close(accepted=timezone.now())
        if not self.course.memberships.filter(user=person).exists():
            self.course.set_role(person, self.role, by=self.by)
        record(person, "invitation.accept", self, self.course, role=self.role)

    @transaction.atomic
    def revoke(self, by=None):
        self._close(revoked=timezone.now())
        record(by, "invitation.revoke", self, self.course)

    def _close(self, **how):
        if not Invitation.objects.open().filter(pk=self.pk).update(**how):
            raise Refused(
                now_("This invitation has been used, taken back, or is too old. Ask for a new one.")
            )
