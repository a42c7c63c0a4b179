"""The API's root: every address that integrations call."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import api as accounts
from assistants import api as assistants
from assistants import protocol
from courses import api as courses
from courses.people import api as people
from datasets import api as datasets
from evaluation import api as evaluation
from finetuning import api as finetuning
from finetuning.deployments import api as deployments
from providers import api as providers
from providers.costs import api as costs
from providers.hooks import api as hooks

# Swagger styles itself from its script; no other page is allowed that.
READER = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


class Docs(SpectacularSwaggerSplitView):
    url_name = "api:schema"

    @extend_schema(exclude=True)
    def get(self, request, *args, **kwargs):
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = READER
        return response


urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", Docs.as_view(), name="docs"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("me/", accounts.Me.as_view(), name="me"),
    path("tokens/", accounts.Tokens.as_view(), name="tokens"),
    path("tokens/<int:pk>/", accounts.Token.as_view(), name="token"),
    path("sessions/", accounts.Sessions.as_view(), name="sessions"),
    path("sessions/<int:pk>/", accounts.Session.as_view(), name="session"),
    path("base-models/", providers.BaseModels.as_view(), name="base_models"),
    path("courses/", courses.Courses.as_view(), name="courses"),
    path("courses/<int:pk>/", courses.OneCourse.as_view(), name="course"),
    path("courses/<int:pk>/members/", people.Members.as_view(), name="members"),
    path("members/<int:pk>/", people.OneMember.as_view(), name="member"),
    path("courses/<int:pk>/leave/", people.Leave.as_view(), name="leave"),
    path("courses/<int:pk>/hand-over/", people.HandOver.as_view(), name="hand_over"),
    path("courses/<int:pk>/two-person/", people.TwoPersonRule.as_view(), name="two_person"),
    path("courses/<int:pk>/invitations/", people.Invitations.as_view(), name="invitations"),
    path("invitations/<int:pk>/", people.OneInvitation.as_view(), name="invitation"),
    path("courses/<int:pk>/services/", people.Services.as_view(), name="services"),
    path("services/<int:pk>/", people.OneService.as_view(), name="service"),
    path("services/<int:pk>/tokens/", people.ServiceTokens.as_view(), name="service_tokens"),
    path("services/<int:pk>/tokens/<int:token>/", people.OneServiceToken.as_view(), name="service_token"),
    path("courses/<int:pk>/audit/", people.Audit.as_view(), name="audit"),
    path("courses/<int:pk>/audit.csv", people.AuditFile.as_view(), name="audit_csv"),
    path("courses/<int:pk>/costs/", costs.CourseCosts.as_view(), name="costs"),
    path("courses/<int:pk>/costs.csv", costs.CostsFile.as_view(), name="costs_csv"),
    path("courses/<int:pk>/budget/", costs.CourseBudget.as_view(), name="budget"),
    path("courses/<int:pk>/webhook/", hooks.CourseHook.as_view(), name="hook"),
    path("courses/<int:pk>/webhook/secret/", hooks.HookSecret.as_view(), name="hook_secret"),
    path("courses/<int:pk>/webhook/test/", hooks.HookTest.as_view(), name="hook_test"),
    path("courses/<int:pk>/webhook/calls/", hooks.HookCalls.as_view(), name="hook_calls"),
    path("courses/<int:pk>/texts/", courses.Texts.as_view(), name="texts"),
    path("texts/<int:pk>/", courses.OneText.as_view(), name="text"),
    path("texts/<int:pk>/passages/", courses.Passages.as_view(), name="passages"),
    path("courses/<int:pk>/notices/", courses.Notices.as_view(), name="notices"),
    path("notices/<int:pk>/put-away/", courses.PutAway.as_view(), name="notice_put_away"),
    path("courses/<int:pk>/datasets/", datasets.Datasets.as_view(), name="datasets"),
    path("datasets/<int:pk>/", datasets.OneDataset.as_view(), name="dataset"),
    path("datasets/<int:pk>/build/", datasets.Build.as_view(), name="build"),
    path("datasets/<int:pk>/import/", datasets.ImportFile.as_view(), name="import"),
    path("datasets/<int:pk>/export/", datasets.Export.as_view(), name="export"),
    path("datasets/<int:pk>/approve-drafts/", datasets.ApproveDrafts.as_view(), name="approve_drafts"),
    path("datasets/<int:pk>/personal/", datasets.Personal.as_view(), name="personal"),
    path("datasets/<int:pk>/examples/", datasets.Examples.as_view(), name="examples"),
    path("examples/<int:pk>/", datasets.OneExample.as_view(), name="example"),
    path("examples/<int:pk>/redact/", datasets.Redact.as_view(), name="redact"),
    path("examples/<int:pk>/approve/", datasets.Approve.as_view(), name="approve"),
    path("examples/<int:pk>/reject/", datasets.Reject.as_view(), name="reject"),
    path("datasets/<int:pk>/versions/", datasets.Versions.as_view(), name="versions"),
    path("versions/<int:pk>/", datasets.OneVersion.as_view(), name="version"),
    path("versions/<int:pk>/files/<str:split>/", datasets.VersionFile.as_view(), name="version_file"),
    path("versions/<int:pk>/jobs/", finetuning.VersionJobs.as_view(), name="version_jobs"),
    path("versions/<int:pk>/jobs/preview/", finetuning.PreviewJob.as_view(), name="job_preview"),
    path("courses/<int:pk>/jobs/", finetuning.CourseJobs.as_view(), name="jobs"),
    path("courses/<int:pk>/jobs/compare/", finetuning.CompareJobs.as_view(), name="jobs_compare"),
    path("jobs/<int:pk>/", finetuning.OneJob.as_view(), name="job"),
    path("jobs/<int:pk>/cancel/", finetuning.CancelJob.as_view(), name="job_cancel"),
    path("jobs/<int:pk>/pause/", finetuning.PauseJob.as_view(), name="job_pause"),
    path("jobs/<int:pk>/resume/", finetuning.ResumeJob.as_view(), name="job_resume"),
    path("jobs/<int:pk>/approve/", finetuning.ApproveJob.as_view(), name="job_approve"),
    path("jobs/<int:pk>/retry/", finetuning.RetryJob.as_view(), name="job_retry"),
    path("jobs/<int:pk>/take-up/", finetuning.TakeUpJob.as_view(), name="job_take_up"),
    path("jobs/<int:pk>/events/", finetuning.Events.as_view(), name="events"),
    path("jobs/<int:pk>/metrics/", finetuning.Metrics.as_view(), name="metrics"),
    path("checkpoints/<int:pk>/promote/", finetuning.PromoteCheckpoint.as_view(), name="checkpoint_promote"),
    path("jobs/<int:pk>/checkpoints/", finetuning.Checkpoints.as_view(), name="checkpoints"),
    path("courses/<int:pk>/models/", finetuning.TunedModels.as_view(), name="models"),
    path("models/<int:pk>/", finetuning.OneTunedModel.as_view(), name="model"),
    path("models/<int:pk>/deployments/", deployments.ModelDeployments.as_view(), name="model_deployments"),
    path("deployments/<int:pk>/", deployments.OneDeployment.as_view(), name="deployment"),
    path("deployments/<int:pk>/name/", deployments.NameDeployment.as_view(), name="deployment_name"),
    path("deployments/<int:pk>/remove/", deployments.RemoveDeployment.as_view(), name="deployment_remove"),
    path("models/<int:pk>/evaluations/", evaluation.ModelEvaluations.as_view(), name="model_evaluations"),
    path("courses/<int:pk>/evaluations/", evaluation.CourseEvaluations.as_view(), name="evaluations"),
    path("courses/<int:pk>/parity/", evaluation.OneParity.as_view(), name="parity"),
    path("evaluations/<int:pk>/", evaluation.OneEvaluation.as_view(), name="evaluation"),
    path("evaluations/<int:pk>/cancel/", evaluation.CancelEvaluation.as_view(), name="evaluation_cancel"),
    path("evaluations/<int:pk>/answers/", evaluation.Answers.as_view(), name="answers"),
    path("models/<int:pk>/assistants/", assistants.ModelAssistants.as_view(), name="model_assistants"),
    path("courses/<int:pk>/assistants/", assistants.CourseAssistants.as_view(), name="assistants"),
    path("assistants/<int:pk>/", assistants.OneAssistant.as_view(), name="assistant"),
    path("assistants/<int:pk>/publish/", assistants.Publish.as_view(), name="publish"),
    path("assistants/<int:pk>/approve/", assistants.ApprovePublication.as_view(), name="publication_approve"),
    path("assistants/<int:pk>/archive/", assistants.Archive.as_view(), name="archive"),
    path("assistants/<int:pk>/restore/", assistants.Restore.as_view(), name="restore"),
    path("assistants/<int:pk>/withdraw/", assistants.Withdraw.as_view(), name="withdraw"),
    path("v1/models", protocol.Models.as_view(), name="v1_models"),
    path("v1/models/<str:name>", protocol.OneModel.as_view(), name="v1_model"),
    path("v1/chat/completions", protocol.ChatCompletions.as_view(), name="chat_completions"),
]
app_name = "api"
