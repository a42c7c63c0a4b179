from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find
from common.doorbell import ring
from finetuning.models import Deployment, TunedModel
from finetuning.tasks import sweep_deployments

STOP_POLLING = 286


@require_safe
@login_required
def deployment(request, pk):
    """For htmx its part of the page of its job, until it moves no more; else that page."""
    deployment = find(Deployment, pk, request.user)
    tuned = deployment.tuned_model
    if not request.htmx:
        return redirect("job", tuned.job_id)
    context = {"course": deployment.course, "tuned": tuned, "deployment": deployment}
    status = 200 if deployment.is_moving else STOP_POLLING
    return render(request, "finetuning/_deployment.html", context, status=status)


@require_POST
@login_required
def deployment_new(request, pk):
    tuned = find(TunedModel, pk, request.user, to="train")
    Deployment.objects.start(tuned, name=request.POST.get("name", "").strip(), by=request.user)
    ring(sweep_deployments)
    return redirect("job", tuned.job_id)


@require_POST
@login_required
def deployment_name(request, pk):
    deployment = find(Deployment, pk, request.user, to="train")
    deployment.call_it(request.POST.get("name", "").strip(), by=request.user)
    ring(sweep_deployments)
    return redirect("job", deployment.tuned_model.job_id)


@require_POST
@login_required
def deployment_remove(request, pk):
    deployment = find(Deployment, pk, request.user, to="train")
    deployment.remove(by=request.user)
    ring(sweep_deployments)
    return redirect("job", deployment.tuned_model.job_id)
