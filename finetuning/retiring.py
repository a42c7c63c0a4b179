"""The watch on models that providers shut down: 60, 14 and 2 days before, a course's owners are told."""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.roles import Role
from courses.models import Membership
from courses.notices import Kind, Notice
from datasets.states import Split
from finetuning.hyperparameters import kept_for
from finetuning.models import Deployment, TunedModel
from providers.models import Model, Provider

STAGES = (60, 14, 2)  # days


def end_of(row):
    """The day after which a base model, a tuned model or a deployment answers no more; None where none is known."""
    if isinstance(row, Model):
        return row.serve_until
    if isinstance(row, TunedModel):
        ready = [each for each in row.deployments.all() if each.state == Deployment.State.READY]
        return _earlier(ready[0].ends if ready else None, row.job.model.serve_until)
    return _earlier(row.ends, row.tuned_model.job.model.serve_until)


def _earlier(*days):
    return min(filter(None, days), default=None)


def stage(day, today):
    """The stage that a day has come to, such as 14 for one that is 3 to 14 days off; None before and after."""
    left = (day - today).days
    return min((each for each in STAGES if left <= each), default=None) if left >= 0 else None


def watch(today=None):
    """Tell each owner once a stage; run twice, or late, it does no harm."""
    today = today or timezone.localdate()
    found = [*tuned_models(today), *base_models(today)]
    owners = {}
    courses = {course.pk for course, *_rest in found}
    for row in Membership.objects.filter(course__in=courses, role=Role.OWNER).select_related("user"):
        owners.setdefault(row.course_id, []).append(row.user)
    Notice.objects.make(
        Notice(
            course=course,
            person=person,
            kind=kind,
            key=f"{about}:{ends}:{at}",
            data=data | {"ends": f"{ends}"},
        )
        for course, kind, about, ends, data in found
        if (at := stage(ends, today))
        for person in owners.get(course.pk, ())
    )


def tuned_models(today):
    """(course, kind, key, day, data) of the tuned models in use that end within the longest stage."""
    near = (today, today + timedelta(days=max(STAGES)))
    base = "tuned_model__job__model"
    rows = Deployment.objects.filter(
        Q(ends__range=near) | Q(**{f"{base}__serve_until__range": near}), state=Deployment.State.READY
    ).select_related(f"{base}__provider", "tuned_model__job__version__dataset__course")
    for row in rows:
        tuned = row.tuned_model
        yield tuned.job.course, Kind.MODEL_ENDS, tuned.pk, end_of(row), _data(tuned)


def base_models(today):
    """The same of base models: the end of tuning on all, their own end where no model in use has told of it."""
    near = (today, today + timedelta(days=max(STAGES)))
    in_use = Deployment.objects.filter(tuned_model=OuterRef("pk"), state=Deployment.State.READY)
    rows = (
        TunedModel.objects.filter(
            Q(job__model__serve_until__range=near) | Q(job__model__train_until__range=near)
        )
        .annotate(in_use=Exists(in_use))
        .select_related("job__model__provider", "job__version__dataset__course")
        .order_by("pk")
    )
    newest, told = {}, set()
    for tuned in rows:
        key = (tuned.job.course.pk, tuned.job.model_id)
        newest[key] = tuned
        if tuned.in_use:
            told.add(key)
    for key, tuned in newest.items():
        model = tuned.job.model
        if model.serve_until and key not in told:
            yield tuned.job.course, Kind.BASE_ENDS, model.pk, model.serve_until, _data(tuned)
        if model.train_until and model.train_until != model.serve_until:
            yield tuned.job.course, Kind.BASE_CLOSES, model.pk, model.train_until, _data(tuned)


def _data(tuned):
    job = tuned.job
    return {"model": tuned.name, "base": str(job.model), "job": job.pk, "version": job.version_id}


def elsewhere(job):
    """The base model of another provider on which this job's version is best trained next, or None.

    Of those that take all its examples and have a price: what lasts longer and speaks the course's language, then
    the same model, then the nearest in price.
    """
    old, language = job.model, job.course.language
    longest = max(job.version.examples.filter(split=Split.TRAIN).values_list("tokens", flat=True), default=0)
    rows = Model.objects.trainable().filter(
        provider__in=Provider.objects.usable(), example_tokens__gte=longest
    )
    others = rows.exclude(provider=old.provider_id).prefetch_related("prices")
    priced = [each for each in others if each.price("train") is not None]
    return max(priced, key=lambda model: _likeness(model, old, language), default=None)


def _likeness(model, old, language):
    lasts = (model.serve_until or date.max) > (old.serve_until or date.min)
    dearer = abs(model.price("train") - (old.price("train") or 0))
    return lasts, model.speaks(language), model.name == old.name, -dearer, -model.pk


def settings_of(job) -> dict:
    """What the training form starts with where the same is to be trained elsewhere."""
    model = elsewhere(job)
    chosen = {"model": model.pk} if model else {}
    values = kept_for(job.hyperparameters, model.provider, job.method) if model else job.hyperparameters
    return {**values, "method": job.method, "seed": job.seed, "suffix": job.suffix, **chosen}
