"""`make bench`: what things cost, as ratios against the raw operation in the same run, in CPU time.

Each measure is a function that returns {key: number}; all of them go to the screen and into bench.json.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases

from tests import engine_bench

OUT = Path(__file__).parents[1] / "bench.json"
ROUNDS = 7


def cpu(work, rounds=ROUNDS):
    """Median CPU seconds of a call, after one that does not count."""
    work()
    taken = []
    for _round in range(rounds):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return median(taken)


def jsonl_vs_tokenizer():
    """Reading, checking and counting a file, against counting its texts alone: 1 is as fast as the tokenizer."""
    from common.tokens import count_messages, encoding
    from datasets import formats

    line = formats.line_of(
        [
            {"role": "user", "content": "What is the ember watch, and who keeps it?"},
            {"role": "assistant", "content": "The ember watch runs from dusk to eleven at night. " * 4},
        ]
    )
    data = "\n".join([line] * 5000).encode()
    rows, _problems = formats.read(data)
    texts = [message["content"] for row in rows for message in row.messages]
    raw = cpu(lambda: [len(encoding().encode_ordinary(text)) for text in texts])
    ours = cpu(lambda: [count_messages(row.messages) for row in formats.read(data)[0]])
    return {"jsonl_vs_tokenizer": raw / ours, "jsonl_mb_per_cpu_s": len(data) / 1e6 / ours}


def build():
    """Cutting a text into passages with their tokens, against counting its tokens alone."""
    from common.tokens import count
    from courses import sectioning
    from datasets import building

    folder = Path(__file__).parents[1] / "demo" / "lighthouse"
    text = "\n\n".join(path.read_text() for path in sorted(folder.glob("*.md"))) * 4

    def cut():
        for part in sectioning.headings(text, "all"):
            sectioning.passages(text, part.start, part.end)

    raw = cpu(lambda: count(text))
    return {
        "cutting_vs_tokenizer": raw / cpu(cut),
        "pairs_vs_tokenizer": raw / cpu(lambda: building.pairs(text, "all", "en")),
    }


def rights():
    """Queries and CPU milliseconds that rights cost one request, on a server with 200 courses."""
    from django.db import connection

    from accounts.access import find
    from courses.models import Course
    from tests import factories

    owner = factories.make_user(email="bench@example.org", is_instructor=True)
    courses = [factories.make_course(owner=owner, title=f"Course {n}") for n in range(200)]

    def ask():
        owner.__dict__.pop("_rights", None)
        find(Course, courses[100].pk, owner, to="train")

    with CaptureQueriesContext(connection) as queries:
        ask()
    raw = cpu(lambda: [Course.objects.get(pk=courses[100].pk) for _turn in range(200)]) / 200
    ours = cpu(lambda: [ask() for _turn in range(200)]) / 200
    return {"rights_queries": len(queries) - 1, "rights_cpu_ms": (ours - raw) * 1000}


SERVER = """
from tests.providers.imitation import Imitation
with Imitation() as there:
    made = there.fill(10_000, status="running")
    print(there.base_url, *(job["id"] for job in made), flush=True)
    for _line in iter(input, "stop"):
        print(len(there.requests), flush=True)
        there.requests.clear()
"""


def poll():
    """One round of the sweep over 10,000 jobs that train and have not moved; the provider is another process."""
    from django.db import connection
    from django.utils import timezone

    from finetuning import polling
    from finetuning.models import Job

    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    address, *ids = server.stdout.readline().split()
    _ten_thousand_jobs(address, ids)
    polling.sweep()  # the first round has yet to learn how each of them stands

    def calls():
        server.stdin.write("count\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    calls()
    Job.objects.update(next_poll_at=timezone.now())
    begun = time.process_time()
    polling.sweep()
    taken, made = time.process_time() - begun, calls()
    Job.objects.update(next_poll_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        polling.sweep()
    server.kill()
    return {"poll_10k_cpu_s": taken, "poll_10k_calls": made, "poll_10k_sql": len(queries)}


def _ten_thousand_jobs(address, ids):
    from django.utils import timezone

    from finetuning import rounds
    from finetuning.models import Job
    from providers import client
    from providers.models import LedgerEntry
    from tests import factories

    course = factories.make_course()
    dataset = factories.make_dataset(course=course)
    version = factories.make_version(dataset=dataset, examples=20)
    model = factories.make_model(provider=factories.make_provider(base_url=address), train="0", answer="0")
    now, month = timezone.now(), timezone.localdate().replace(day=1)
    entries = LedgerEntry.objects.bulk_create(
        [LedgerEntry(course=course, purpose="training", model=model, month=month) for _id in ids],
        batch_size=500,
    )
    marks = {row["id"]: rounds.mark(row) for page in client.job_pages(model.provider) for row in page}
    Job.objects.bulk_create(
        [
            Job(version=version, model=model, hyperparameters={}, fingerprint=remote_id, state="running",
                raw_status="running", remote_id=remote_id, ledger=entry, next_poll_at=now, remote_mark=marks[remote_id])
            for remote_id, entry in zip(ids, entries, strict=True)
        ],
        batch_size=500,
    )  # fmt: skip


# What each measure finds, so that one can be asked for by its key.
MEASURES = {
    jsonl_vs_tokenizer: "jsonl_vs_tokenizer jsonl_mb_per_cpu_s",
    build: "cutting_vs_tokenizer pairs_vs_tokenizer",
    rights: "rights_queries rights_cpu_ms",
    poll: "poll_10k_cpu_s poll_10k_calls poll_10k_sql",
} | engine_bench.MEASURES


def main(only):
    known = [key for keys in MEASURES.values() for key in keys.split()]
    if only and only not in known:
        sys.exit(f"bench: no measure finds {only}; there are {', '.join(known)}")
    load = os.getloadavg()[0]
    django.setup()
    kept = setup_databases(verbosity=0, interactive=False)
    try:
        found = {}
        for measure, keys in MEASURES.items():
            if not only or only in keys.split():
                found |= measure()
    finally:
        teardown_databases(kept, verbosity=0)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores")
    for key, value in found.items():
        print(f"{key:<36}{value:>10.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
