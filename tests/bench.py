"""`make bench`: what things cost, as ratios against the raw operation in the same run, in CPU time.

Each measure is a function that returns {key: number}; all of them go to the screen and into bench.json.
"""

import json
import os
import sys
import time
from pathlib import Path
from statistics import median

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases

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


MEASURES = (jsonl_vs_tokenizer, build, rights)


def main(only):
    django.setup()
    kept = setup_databases(verbosity=0, interactive=False)
    try:
        found = {}
        for measure in MEASURES:
            if not only or measure.__name__ == only or only in measure.__name__:
                found |= measure()
    finally:
        teardown_databases(kept, verbosity=0)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(f"load {os.getloadavg()[0]:.1f}")
    for key, value in found.items():
        print(f"{key:<24}{value:>10.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
