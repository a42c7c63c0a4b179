from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find
from common.doorbell import ring
from courses.models import Course
from datasets.costs import offers
from datasets.models import Version
from finetuning import comparing, curves
from finetuning.curves import Look
from finetuning.files import sent_files
from finetuning.forms import AdvancedForm, SimpleForm
from finetuning.models import Checkpoint, Job
from finetuning.preview import preview
from finetuning.retiring import settings_of
from finetuning.states import PAUSABLE
from finetuning.tasks import sweep
from finetuning.timeline import duration, timeline

STOP_POLLING = 286


@require_safe
@login_required
def jobs(request, pk):
    course = find(Course, pk, request.user, to="read")
    rows = Job.objects.of(course).select_related("model__provider", "version__dataset", "ledger", "by")
    versions = Version.objects.of(course).select_related("dataset")
    context = {"course": course, "step": "jobs", "jobs": rows, "versions": versions}
    return render(request, "finetuning/jobs.html", context)


@require_safe
@login_required
def jobs_compare(request, pk):
    """Two to six jobs of the course beside each other."""
    course = find(Course, pk, request.user, to="read")
    chosen = comparing.chosen(course, request.GET.getlist("job"))
    points, look = comparing.points_of(chosen), Look.of(request.GET)
    split = request.GET.get("of") if request.GET.get("of") in comparing.SPLITS else "train"
    context = {
        "course": course, "step": "jobs", "jobs": chosen, "look": look, "split": split,
        "splits": comparing.SPLITS, "same": urlencode({"job": [job.pk for job in chosen]}, doseq=True),
        "charts": comparing.charts(chosen, points, split, look), "rows": comparing.table(chosen, points),
    }  # fmt: skip
    return render(request, "finetuning/jobs_compare.html", context)


@login_required
def train(request, pk):
    version = find(Version, pk, request.user, to="train")
    form = form_for(request, version)
    if form.is_valid():
        job = Job.objects.start(version, by=request.user, **form.settings)
        ring(sweep)
        return redirect("job", job.pk)
    return render(request, "finetuning/train.html", _training(version, form))


@login_required
def train_preview(request, pk):
    """The form as it stands and what would come of it; nothing is started."""
    version = find(Version, pk, request.user, to="train")
    part = "finetuning/_train_form.html" if request.htmx else "finetuning/train.html"
    return render(request, part, _training(version, form_for(request, version)))


def form_for(request, version):
    """Simple, unless all the settings are asked for or sent."""
    if request.method == "POST":
        return (SimpleForm if "effort" in request.POST else AdvancedForm)(version, request.POST)
    old = request.GET.get("elsewhere", "")
    if old.isdecimal() and len(old) < 19:  # the same once more, where it lasts longer
        return AdvancedForm(version, initial=settings_of(find(Job, int(old), request.user)))
    return (AdvancedForm if "advanced" in request.GET else SimpleForm)(version)


def _training(version, form):
    previewed = form.previewed()
    told = preview(version, **previewed.settings) if previewed.is_valid() else None
    return {
        "course": version.dataset.course, "step": "jobs", "version": version, "form": form,
        "preview": told, "offers": offers(version),
    }  # fmt: skip


@require_safe
@login_required
def job(request, pk):
    """The whole page, or for htmx its live part, until the job has ended."""
    job = find(Job, pk, request.user)
    moves = list(job.moves.select_related("by"))
    context = {
        "course": job.course, "step": "jobs", "job": job, "tuned": job.tuned, "moves": moves,
        "timeline": timeline(job, moves), "lasted": duration(job), "files": sent_files(job),
        "pausable": job.state in PAUSABLE and job.provider.can("pause"),
        "events": job.events.exclude(type="metrics").order_by("-at", "-pk")[:30],
        **_drawn(job, Look.of(request.GET)),
    }  # fmt: skip
    if request.htmx:
        status = STOP_POLLING if job.is_final else 200
        return render(request, "finetuning/_job_live.html", context, status=status)
    return render(request, "finetuning/job.html", context)


def _drawn(job, look):
    points, checkpoints = curves.values_of(job), list(job.checkpoints.select_related("tunedmodel"))
    names, rows = curves.table(points)
    charts = curves.curves(points, checkpoints, look)
    return {"look": look, "charts": charts, "checkpoints": checkpoints, "names": names, "rows": rows}


@require_POST
@login_required
def job_approve(request, pk):
    job = find(Job, pk, request.user, to="approve")
    job.approve(by=request.user)
    ring(sweep)
    messages.success(request, _("Approved: the job starts."))
    return redirect("job", job.pk)


@require_POST
@login_required
def job_retry(request, pk):
    again = find(Job, pk, request.user, to="train").retry(by=request.user)
    ring(sweep)
    return redirect("job", again.pk)


@require_POST
@login_required
def job_cancel(request, pk):
    job = find(Job, pk, request.user, to="train")
    job.cancel(by=request.user)
    ring(sweep)
    messages.info(request, _("The job is being cancelled."))
    return redirect("job", job.pk)


@require_POST
@login_required
def job_pause(request, pk):
    job = find(Job, pk, request.user, to="train")
    job.pause(by=request.user)
    ring(sweep)
    messages.info(request, _("The provider is being asked to pause."))
    return redirect("job", job.pk)


@require_POST
@login_required
def job_resume(request, pk):
    job = find(Job, pk, request.user, to="train")
    job.resume(by=request.user)
    ring(sweep)
    messages.info(request, _("The provider is being asked to go on."))
    return redirect("job", job.pk)


@require_POST
@login_required
def job_take_up(request, pk):
    """Try once more with a job whose steps crashed again and again."""
    job = find(Job, pk, request.user, to="train")
    job.take_up(by=request.user)
    ring(sweep)
    messages.success(request, _("The job is taken up again."))
    return redirect("job", job.pk)


@require_POST
@login_required
def checkpoint_promote(request, pk):
    checkpoint = find(Checkpoint, pk, request.user, to="train")
    made = checkpoint.promote(by=request.user)
    messages.success(request, _("%s is a model of its own now.") % made)
    return redirect("job", checkpoint.job_id)
