from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find
from common.doorbell import ring
from courses.models import Course
from evaluation.models import Evaluation
from evaluation.parity import compared, pairs
from evaluation.report import held_out, job_of, samples
from evaluation.tasks import sweep
from finetuning.models import TunedModel

STOP_POLLING = 286
SHOWN = 5


@require_safe
@login_required
def evaluations(request, pk):
    course = find(Course, pk, request.user, to="read")
    rows = (
        Evaluation.objects.of(course).select_related("version__dataset").prefetch_related("verdicts", "arms")
    )
    models = TunedModel.objects.of(course).select_related("job__version__dataset", "job__model__provider")
    models = models.prefetch_related("deployments")
    context = {
        "course": course, "step": "evaluations", "evaluations": rows, "models": models, "pairs": pairs(models),
    }  # fmt: skip
    return render(request, "evaluation/evaluations.html", context)


@require_POST
@login_required
def evaluation_new(request, pk):
    tuned = find(TunedModel, pk, request.user, to="freeze")
    evaluation = Evaluation.objects.start(tuned, by=request.user)
    ring(sweep)
    return redirect("evaluation", evaluation.pk)


@require_safe
@login_required
def evaluation(request, pk):
    """The whole page, or for htmx its live part, until the evaluation has ended."""
    evaluation = find(Evaluation, pk, request.user)
    told = samples(evaluation)
    job = job_of(evaluation)
    context = {
        "course": evaluation.course,
        "step": "evaluations",
        "evaluation": evaluation,
        "verdicts": evaluation.verdicts.all(),
        "main": evaluation.verdicts.filter(metric="chrf").first(),
        "job": job,
        "tuned": job.tuned,
        "held_out": held_out(job),
        "best": told[:SHOWN],
        "worst": told[SHOWN:][-SHOWN:][::-1],
    }
    if request.htmx:
        status = STOP_POLLING if evaluation.is_final else 200
        return render(request, "evaluation/_evaluation_live.html", context, status=status)
    return render(request, "evaluation/evaluation.html", context)


@require_POST
@login_required
def evaluation_cancel(request, pk):
    evaluation = find(Evaluation, pk, request.user, to="freeze")
    evaluation.cancel(by=request.user)
    messages.info(request, _("The evaluation is cancelled."))
    return redirect("evaluation", evaluation.pk)


@login_required
def parity(request, pk):
    """?a=&b=: the old and the new tuned model of one version; a POST evaluates what is missing."""
    course = find(Course, pk, request.user, to="read")
    told = compared(course, request.user, wanted(request, "a"), wanted(request, "b"))
    if request.method == "POST":
        find(Course, pk, request.user, to="freeze")
        told.start(by=request.user)
        ring(sweep)
        return redirect(request.get_full_path())
    context = {"course": course, "step": "evaluations", "told": told, "samples": told.samples[:SHOWN]}
    if request.htmx:
        return render(
            request, "evaluation/_parity_live.html", context, status=200 if told.is_running else STOP_POLLING
        )
    return render(request, "evaluation/parity.html", context)


def wanted(request, name):
    """The key of a model that the address names; 404 where it names none."""
    key = request.GET.get(name, "")
    if not key.isdecimal():
        raise Http404
    return int(key[:19])
