from django.urls import path

from finetuning import views, webhooks
from finetuning.deployments import views as deployments

urlpatterns = [
    path("courses/<int:pk>/jobs/", views.jobs, name="jobs"),
    path("courses/<int:pk>/jobs/compare/", views.jobs_compare, name="jobs_compare"),
    path("versions/<int:pk>/train/", views.train, name="train"),
    path("versions/<int:pk>/train/preview/", views.train_preview, name="train_preview"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/<int:pk>/approve/", views.job_approve, name="job_approve"),
    path("jobs/<int:pk>/retry/", views.job_retry, name="job_retry"),
    path("jobs/<int:pk>/cancel/", views.job_cancel, name="job_cancel"),
    path("jobs/<int:pk>/pause/", views.job_pause, name="job_pause"),
    path("jobs/<int:pk>/resume/", views.job_resume, name="job_resume"),
    path("jobs/<int:pk>/take-up/", views.job_take_up, name="job_take_up"),
    path("checkpoints/<int:pk>/promote/", views.checkpoint_promote, name="checkpoint_promote"),
    path("models/<int:pk>/deployment/", deployments.deployment_new, name="deployment_new"),
    path("deployments/<int:pk>/", deployments.deployment, name="deployment"),
    path("deployments/<int:pk>/name/", deployments.deployment_name, name="deployment_name"),
    path("deployments/<int:pk>/remove/", deployments.deployment_remove, name="deployment_remove"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
]
