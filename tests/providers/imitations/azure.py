"""Azure OpenAI: a byte order mark, short suffixes, a tier for each job, and nothing answers before it is deployed."""

from codecs import BOM_UTF8

from tests.providers.imitation import Imitation

TIERS = ("Standard", "GlobalStandard", "developerTier")


class NeedsDeployment(Imitation):
    """A trained model answers under the name of a deployment, which a person there has made."""

    def __init__(self):
        super().__init__()
        self.deployments = {}

    def deploy(self, model, name):
        self.deployments[name] = model

    def answers_as(self, model):
        return model in self.deployments


class Azure(NeedsDeployment):
    FIELDS = Imitation.FIELDS | {"trainingType"}
    COLUMNS = {
        "step": "step", "train_loss": "train_loss", "train_mean_token_accuracy": "train_mean_token_accuracy",
        "valid_loss": "valid_loss", "validation_mean_token_accuracy": "valid_mean_token_accuracy",
        "full_valid_loss": "full_valid_loss", "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
    }  # fmt: skip

    def problem_of_file(self, data):
        return super().problem_of_file(data) or (
            "" if data.startswith(BOM_UTF8) else "The file must be encoded in UTF-8 with a byte order mark."
        )

    def problem_of_job(self, body):
        suffix = body.get("suffix") or ""
        if len(suffix) > 18 or "." in suffix:
            return "The suffix must have at most 18 characters and no dots."
        if body.get("trainingType") not in TIERS:
            return f"trainingType must be one of {', '.join(TIERS)}."
        return super().problem_of_job(body)
