"""One frozen version, trained at every provider: what each was asked for, side by side, in docs/providers.md."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

from django.utils import timezone

from finetuning import polling
from finetuning.models import Job
from tests import factories
from tests.engine_process import EngineProcess
from tests.providers.imitation import Imitation
from tests.providers.imitations.azure import Azure
from tests.providers.imitations.crusoe import Crusoe
from tests.providers.imitations.nebius import Nebius
from tests.providers.imitations.unsloth import Unsloth
from tests.providers.recorder import Recorder

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
BEGINS, ENDS = "<!-- recorded requests: written by the tests -->\n", "<!-- end of the recorded requests -->\n"
THERE = {"openai": Imitation, "azure": Azure, "nebius": Nebius, "crusoe": Crusoe, "unsloth": Unsloth}
NAMES = {
    "openai": "OpenAI", "azure": "Azure", "nebius": "Nebius", "crusoe": "Crusoe", "unsloth": "Unsloth Studio",
    "engine": "our engine",
}  # fmt: skip
PATIENCE = 120  # seconds


def train(kind, version, there, name="tiny", key="sk-test", **numbers):
    """The job, followed to its end; `there` finishes what it was given as soon as it runs."""
    provider = factories.make_provider(kind=kind, base_url=there.base_url, key=key)
    model = factories.make_model(provider=provider, name=name, train="0", answer="0")
    job = Job.objects.start(
        version, model, suffix="lighthouse-keeper-7", hyperparameters={"n_epochs": 1} | numbers
    )
    ends = time.monotonic() + PATIENCE
    while not job.is_final and time.monotonic() < ends:
        Job.objects.live().update(next_poll_at=timezone.now())
        polling.sweep()
        job.refresh_from_db()
        unfinished = isinstance(there, Imitation) and job.remote_id
        if unfinished and there.jobs[job.remote_id]["status"] != "succeeded":
            there.finish(job.remote_id)
        time.sleep(0 if isinstance(there, Imitation) else 0.2)
    return job


def everywhere(version, folder):
    """{kind: (job, request of the job, first bytes of its training file)}"""
    told = {}
    for kind, imitation in THERE.items():
        with imitation() as there:
            job = train(kind, version, there)
            asked = json.loads(there.asked("POST /fine_tuning/jobs")[0]["body"])
            told[kind] = job, asked, there.files[asked["training_file"]]["data"]
    with ExitStack() as stack:
        engine = stack.enter_context(EngineProcess(folder))
        heard = stack.enter_context(Recorder(engine.base_url))
        job = train("engine", version, heard, engine.model, engine.key)
        sent = next(body for call, body in heard.requests if call == "POST /files")
        told["engine"] = job, heard.body_of("POST /fine_tuning/jobs"), sent
    return told


def table(told) -> str:
    """A column for each provider, a row for each thing that one of them was told."""
    requests = {kind: _plain(asked, job) for kind, (job, asked, _data) in told.items()}
    names = sorted({name for asked in requests.values() for name in asked})
    lines = ["| | " + " | ".join(NAMES[kind] for kind in told) + " |", "|---" * (len(told) + 1) + "|"]
    for name in names:
        cells = [f"`{asked[name]}`" if name in asked else "" for asked in requests.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    marks = ["byte order mark" if job.provider.can("bom") else "" for job, _asked, _data in told.values()]
    lines.append("| the file begins with | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def _plain(asked, job):
    """The request by dotted names, with what differs from run to run replaced by what it is."""
    named = {asked["training_file"]: "training file", asked.get("validation_file"): "validation file"}
    named |= {str(job.op): "our mark", job.model.name: "base model"}
    return {name: named.get(value, value) for name, value in _flat(asked).items()}


def _flat(value, name=""):
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: each
        for part, inner in value.items()
        for key, each in _flat(inner, f"{name}.{part}".strip(".")).items()
    }
