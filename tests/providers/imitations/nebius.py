"""Nebius: hyperparameters at the top, an absolute rate, LoRA settings; the model is put up by POST /v0/models."""

from tests.providers.imitation import Imitation
from tests.providers.imitations.answers import missing, refusal
from tests.providers.imitations.wire import Told


class Nebius(Imitation):
    FIELDS = {"model", "training_file", "validation_file", "hyperparameters", "seed", "suffix", "metadata"}
    HYPERPARAMETERS = {
        "n_epochs", "batch_size", "learning_rate", "lora", "lora_r", "lora_alpha", "lora_dropout",
    }  # fmt: skip
    ROUTES = [
        (r"POST /v0/models", "put_up"),
        (r"GET /v0/models/([^/]+)", "one_model"),
        (r"DELETE /v0/models/([^/]+)", "take_down"),
        *Imitation.ROUTES,
    ]

    def __init__(self):
        super().__init__()
        self.served = {}
        self.validates_for = 1  # times that a new model is asked for and does not answer yet

    def problem_of_job(self, body):
        hyper = body.get("hyperparameters") or {}
        size, rate = hyper.get("batch_size", 8), hyper.get("learning_rate", 0.0001)
        if size != "auto" and not 1 <= size <= 32:
            return "batch_size must be between 1 and 32."
        if rate != "auto" and not 0 < rate < 1:
            return "learning_rate is absolute, between 0 and 1."
        return super().problem_of_job(body)

    def tell_step(self, job_id, row):
        """Numbers are in checkpoints only."""

    def make_results(self, rows):
        return []

    def tell_checkpoint(self, job, row):
        made = super().tell_checkpoint(job, row)
        made["fine_tuned_model_checkpoint"] = made["id"]

    def name_model(self, job):
        """It stays null: a checkpoint is what is put up."""

    def pause_job(self, job_id, asked):
        return missing()

    resume_job = pause_job

    def put_up(self, asked):
        body = asked.json
        if missed := {"name", "source", "base_model"} - set(body):
            return refusal(400, f"Missing: {', '.join(sorted(missed))}.", "invalid_request")
        known = {each["id"] for rows in self.checkpoints.values() for each in rows}
        if body["source"] not in known:
            return refusal(404, "There is no such checkpoint.", "checkpoint_not_found")
        if body["name"] in self.served:
            return refusal(409, "There is such a model already.", "already_exists")
        self.served[body["name"]] = {**body, "status": "validating", "looks": 0}
        return Told(self.served[body["name"]])

    def one_model(self, name, asked):
        if name not in self.served:
            return missing()
        row = self.served[name]
        row["looks"] += 1
        if row["looks"] > self.validates_for:
            row["status"] = "active"
        return Told(row)

    def take_down(self, name, asked):
        return Told({"name": name, "deleted": True}) if self.served.pop(name, None) else missing()

    def answers_as(self, model):
        return model == "tiny" or self.served.get(model, {}).get("status") == "active"
