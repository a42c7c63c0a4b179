"""Unsloth Studio: one supervised job at a time, no metadata, files that only go in, no pause, no token accuracy."""

from tests.providers.imitation import ENDED, Imitation
from tests.providers.imitations.answers import missing, refusal


class Unsloth(Imitation):
    def problem_of_job(self, body):
        if any(job["status"] not in ENDED for job in self.jobs.values()):
            return refusal(409, "Another job is running.", "busy")
        if (body.get("method") or {}).get("type", "supervised") != "supervised":
            return "Only the supervised method."
        return super().problem_of_job(body)

    def add_job(self, **body):
        return super().add_job(**{**body, "metadata": None})

    def make_results(self, rows):
        return []

    def tell_checkpoint(self, job, row):
        numbers = {name: value for name, value in row.items() if "accuracy" not in name}
        return super().tell_checkpoint(job, numbers)

    def not_here(self, _id, asked):
        return missing()

    file_content = delete_file = pause_job = resume_job = not_here
