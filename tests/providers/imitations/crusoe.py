"""Crusoe: a finished job names its model only after some while, has no events, and is deployed before it answers."""

from tests.providers.imitations.answers import missing
from tests.providers.imitations.azure import NeedsDeployment


class Crusoe(NeedsDeployment):
    def __init__(self):
        super().__init__()
        self.unnamed_for = 2  # times that a finished job is asked for and names no model
        self._looks = {}

    def shown(self, job):
        if job["status"] != "succeeded":
            return job
        looks = self._looks[job["id"]] = self._looks.get(job["id"], 0) + 1
        return job if looks > self.unnamed_for else {**job, "fine_tuned_model": None}

    def list_events(self, job_id, asked):
        return missing()
