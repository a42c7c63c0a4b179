"""Money: what a course may spend in a month, and what each act was estimated at, holds and was billed."""

from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Round
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.access import CourseRows
from accounts.models import User, record
from common.states import Refused
from courses.models import Course

WARN_AT = Decimal("0.8")
FORGOTTEN = timedelta(hours=1)  # much longer than any answer takes
MOST = Decimal(10) ** 8
PLACES = Decimal("0.000001")


class OverBudget(Refused):
    """The course may not spend as much this month."""


def this_month():
    """The first day of the month by this server's clock, whatever time zone the reader is in."""
    return timezone.localdate(timezone=timezone.get_default_timezone()).replace(day=1)


def dollars(amount, rounding=ROUND_HALF_UP) -> Decimal:
    """A sum of US dollars to the millionth; refuses what is no number, negative, or beyond all budgets."""
    try:
        amount = Decimal(amount)
    except (InvalidOperation, TypeError, ValueError):
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < MOST:
        raise ValidationError(now_("A sum is a number of US dollars from 0 to under 100,000,000."))
    return amount.quantize(PLACES, rounding)


def _exactly(expression):
    """SQLite counts money in floating point: without this, ten times ten cents are less than a dollar."""
    return Round(expression, precision=6)


class BudgetQuerySet(CourseRows):
    def now(self, course):
        """The budget of this month, or None."""
        return self.filter(course=course, month=this_month()).first()

    @transaction.atomic
    def set_limit(self, course, month, limit, by=None):
        """Let the course spend this much in a month. Below what is held it stops further spending, no more."""
        limit, month = dollars(limit), month.replace(day=1)
        if month < this_month():
            raise Refused(now_("%(month)s is over: its budget stays as it is.") % {"month": f"{month:%Y-%m}"})
        budget, made = self.select_for_update().get_or_create(
            course=course, month=month, defaults={"limit": limit}
        )
        if made or budget.limit != limit:
            before = None if made else {"limit": plain(budget.limit)}
            budget.limit = limit
            budget.save(update_fields=["limit"])
            record(by, "budget.set", budget, course, before=before, after={"limit": plain(limit)})
        return budget

    def hold(self, course, month, money) -> bool:
        """True if the month has room for it; of many at once, only as many as there is room for."""
        room = _exactly(models.F("limit") - money)
        here = self.filter(course=course, month=month, held__lte=room)
        return bool(here.update(held=_exactly(models.F("held") + money)))


class Budget(models.Model):
    """What a course may spend in one calendar month, in US dollars; `held` is reserved or settled."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="budgets")
    month = models.DateField(_("month"), help_text=_("its first day"))
    limit = models.DecimalField(_("limit, US dollars"), max_digits=12, decimal_places=4)
    held = models.DecimalField(_("held, US dollars"), max_digits=14, decimal_places=6, default=0)

    objects = BudgetQuerySet.as_manager()
    COURSE = "course"

    class Meta:
        ordering = ["-month"]
        constraints = [models.UniqueConstraint(fields=["course", "month"], name="one_budget_a_month")]
        verbose_name, verbose_name_plural = _("budget"), _("budgets")

    def clean(self):
        """Any day of a month stands for the month."""
        if self.month:
            self.month = self.month.replace(day=1)

    def __str__(self):
        return f"{self.course} {self.month:%Y-%m}"

    @property
    def free(self) -> Decimal:
        """What may still be spent, never below nothing."""
        return max(self.limit - self.held, Decimal(0))

    @property
    def over(self) -> Decimal:
        return max(self.held - self.limit, Decimal(0))

    @property
    def level(self) -> str:
        """ "reached", "near" from 80 % on, or nothing to warn of."""
        if not self.held:
            return ""
        return "reached" if self.held >= self.limit else "near" if self.held >= self.limit * WARN_AT else ""


class LedgerQuerySet(CourseRows):
    @transaction.atomic
    def reserve(self, course, purpose, model, tokens, money, by=None):
        """Hold an estimate against the month's budget, or refuse; free work needs no budget."""
        money, month = dollars(money, ROUND_CEILING), this_month()
        if money and not Budget.objects.hold(course, month, money):
            raise OverBudget(
                now_(
                    "%(money)s is over what this course may still spend this month. "
                    "An owner or staff can raise the budget."
                )
                % {"money": f"${money:.4f}"}
            )
        return self.create(
            course=course, purpose=purpose, model=model, tokens=tokens, month=month, estimate=money,
            reserved=money, by=by,
        )  # fmt: skip

    def settle_forgotten(self) -> int:
        """Chats whose process died before it could say what they cost are charged what was held; how many."""
        old = timezone.now() - FORGOTTEN
        rows = self.filter(purpose=LedgerEntry.Purpose.CHAT, settled=None, at__lt=old)
        for entry in rows:
            entry.settle(entry.reserved, entry.tokens)
        return len(rows)


class LedgerEntry(models.Model):
    """Money of one act: reserved before it is spent, settled by what was billed. US dollars."""

    class Purpose(models.TextChoices):
        TRAINING = "training", _("training")
        EVALUATION = "evaluation", _("evaluation")
        CHAT = "chat", _("chat")
        HOSTING = "hosting", _("hosting")

    course = models.ForeignKey(Course, models.CASCADE, related_name="ledger")
    purpose = models.CharField(_("for"), max_length=16, choices=Purpose.choices)
    model = models.ForeignKey("providers.Model", models.PROTECT, verbose_name=_("base model"))
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("who"))
    at = models.DateTimeField(auto_now_add=True)
    month = models.DateField()
    tokens = models.PositiveBigIntegerField(_("tokens"), default=0)
    estimate = models.DecimalField(_("estimate"), max_digits=14, decimal_places=6, default=0)
    reserved = models.DecimalField(_("reserved"), max_digits=14, decimal_places=6, default=0)
    settled = models.DecimalField(_("settled"), max_digits=14, decimal_places=6, null=True)

    objects = LedgerQuerySet.as_manager()
    COURSE = "course"

    class Meta:
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("ledger entry"), _("ledger entries")

    def __str__(self):
        return f"{self.get_purpose_display()} {self.course} ${self.estimate}"

    @transaction.atomic
    def settle(self, money, tokens=0):
        """Replace the reservation by what was billed for `tokens`; the second call changes nothing."""
        money = dollars(money)
        here = LedgerEntry.objects.filter(pk=self.pk, settled=None)
        if here.update(settled=money, tokens=tokens, reserved=0) and (money or self.reserved):
            Budget.objects.filter(course=self.course_id, month=self.month).update(
                held=_exactly(models.F("held") - self.reserved + money)
            )


def plain(amount: Decimal) -> str:
    """Without the noughts at its end and never as 1E+2."""
    return f"{amount.normalize():f}"
