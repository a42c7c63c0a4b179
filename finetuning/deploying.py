"""The sweep of deployments: put up, wait until they answer, look after what costs money, take down."""

import random
from contextlib import suppress
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from common.states import IllegalMove
from finetuning.models import Deployment
from finetuning.tuned import DAY, ENDED, ENDING, HOUR, READY, REQUESTED, WAITING
from providers import client
from providers.errors import GivenUp, ProviderError, TryAgain, Unclear, Unreadable

log = structlog.get_logger()
AT_ONCE = 20
SET_ASIDE_AFTER = 20
ANSWERS = {"active", "ready", "running", "succeeded", "deployed"}
BROKEN = {"failed", "error", "rejected", "invalid"}
HELLO = [{"role": "user", "content": "Hello"}]


def sweep() -> int:
    """One step of every due deployment that no other worker holds and whose provider does not rest; how many."""
    now = timezone.now()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    due = Deployment.objects.due(now)
    due.filter(provider__rests_until__gt=now).order_by().update(
        problem=_("The provider rests after failures.")
    )
    rows = due.exclude(provider__rests_until__gt=now).select_related(
        "provider", "ledger", "by", "tuned_model__job__model", "tuned_model__job__version__dataset__course"
    )
    claimed = [row for row in rows[:AT_ONCE] if Deployment.objects.claim(row.pk, now, until)]
    for deployment in claimed:
        deployment.refresh_from_db(fields=["state", "name"])
        advance(deployment)
    return len(claimed)


def advance(deployment):
    """Whatever goes wrong stays with this deployment. What a person has changed meanwhile counts more."""
    try:
        later = STEPS[deployment.state](deployment)
        changes = {"attempts": 0, "problem": "", "next_poll_at": later} if later else {}
    except ProviderError as error:
        changes = _back_off(deployment, error.text, getattr(error, "retry_after", None))
    except IllegalMove:
        changes = {}
    except Exception as error:
        log.exception("a deployment's step crashed", deployment=deployment.pk)
        text = _("An error on our side (%s). Staff have been told.") % type(error).__name__
        changes = _back_off(deployment, text)
        if deployment.attempts + 1 >= SET_ASIDE_AFTER:
            changes["next_poll_at"] = None
    Deployment.objects.filter(pk=deployment.pk, state=deployment.state, name=deployment.name).update(
        **changes
    )
    Deployment.objects.release(deployment.pk)


def _back_off(deployment, problem, asked=None):
    seconds = max(asked or 0, min(300, 2 ** min(deployment.attempts, 9)) * random.uniform(0.8, 1.2))
    later = timezone.now() + timedelta(seconds=min(seconds, 3600))
    return {"attempts": deployment.attempts + 1, "problem": problem, "next_poll_at": later}


def put_up(deployment):
    """The call that costs, under a name of our own, which is looked for before it is made again."""
    tuned = deployment.tuned_model
    row = client.deployment(deployment.provider, deployment.name)
    if row is None:
        try:
            row = client.deploy(deployment.provider, deployment.name, tuned.name, tuned.job.model.name)
        except Unreadable as doubt:
            raise Unclear(doubt.text, doubt.code) from doubt
        except GivenUp as refusal:
            deployment.fail(refusal.text)
            return None
    deployment._move(WAITING, note=row["name"], name=_name(row) or deployment.name, problem="")
    return _soon(deployment)


def _name(row):
    """What it is called by, as the provider tells it."""
    return row["name"] if row["name"].isprintable() and len(row["name"]) <= 300 else ""


def look(deployment):
    """Whether it answers by now."""
    if deployment.way == "models_v0":
        return _look_at_row(deployment)
    try:
        client.complete(deployment.provider, deployment.name, HELLO, max_tokens=1)
    except GivenUp as error:
        if timezone.now() - deployment.made > DAY:
            deployment.fail(error.text)
            return None
        if error.status != 404:
            raise
        text = _("%(provider)s does not know “%(name)s” yet. Is that its name there?")
        raise TryAgain(text % {"provider": deployment.provider, "name": deployment.name}) from error
    deployment.rise()
    return None


def _look_at_row(deployment):
    row = client.deployment(deployment.provider, deployment.name)
    if row is None and not deployment.is_early:
        deployment.fail(_("The provider does not know it any more."))
    elif row and row["status"] in ANSWERS:
        deployment.rise()
    elif row and row["status"] in BROKEN:
        client.undeploy(deployment.provider, deployment.name)
        deployment.fail(_("The provider says: %s") % row["status"])
    else:
        return _soon(deployment)


def _soon(deployment):
    """Often at first, less often as it takes longer: up to a minute."""
    age = (timezone.now() - deployment.made).total_seconds()
    return timezone.now() + timedelta(seconds=min(60, max(settings.SWEEP_SECONDS, age / 30)))


def look_after(deployment):
    """Each hour: is it still there, is it paid, is it used?"""
    if deployment.way == "models_v0" and client.deployment(deployment.provider, deployment.name) is None:
        deployment.close(ENDED, note=_("It was taken down at the provider."))
        return None
    deployment.renew()
    if deployment.state != READY:
        return None
    deployment.warn_if_idle()
    return timezone.now() + HOUR


def take_down(deployment):
    client.undeploy(deployment.provider, deployment.name)
    deployment.close(ENDED)


STEPS = {REQUESTED: put_up, WAITING: look, READY: look_after, ENDING: take_down}


def keep_days():
    """Last days follow those of the base models; what has had its last day is taken down."""
    Deployment.objects.follow_bases()
    for deployment in Deployment.objects.up().filter(ends__lt=timezone.localdate()):
        with suppress(IllegalMove):
            deployment.remove(note=_("Its base model has been shut down."))


def unless_early(error, deployment):
    """The error, as one that passes where the provider may only not know the new name yet."""
    if isinstance(error, GivenUp) and error.status == 404 and deployment and deployment.is_early:
        text = _("The provider does not know the new model yet. That passes within minutes.")
        return TryAgain(text, error.code, error.status)
    return error
