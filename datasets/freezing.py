"""A data set into an immutable version: split, counted, checked, written down byte for byte."""

from statistics import median

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import record
from common.states import Refused
from common.tokens import count_messages
from datasets import formats, splitting
from datasets.models import Version, VersionExample
from datasets.personal import Findings
from datasets.states import Split


@transaction.atomic
def freeze(dataset, by=None, seed=0, validation=0.1, test=0.1, personal_ok=False) -> Version:
    """Freeze the approved examples. The same examples and seed give the same files and hashes.

    Where they hold personal data, only with `personal_ok`, which the audit trail keeps with the person.
    """
    dataset.lock()
    examples = list(dataset.examples.approved().order_by("pk"))
    if not examples:
        raise Refused(_("No example is approved yet. Approve some first."))
    findings = Findings.of(dataset, [(row.pk, row.personal) for row in examples if row.personal])
    if findings and not personal_ok:
        findings.refuse()
    placed, checks = _split(dataset, examples, seed, validation, test)
    rows = _rows(dataset, examples, placed)
    version = Version.objects.create(
        dataset=dataset,
        number=(dataset.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1,
        seed=seed,
        instructions=dataset.instructions,
        statistics={
            split: _statistics([row for row in rows if row.split == split]) for split in Split.values
        },
        checks={**checks, "personal": findings.counts},
        files={split: _file([row for row in rows if row.split == split]) for split in Split.values},
        by=by,
    )
    for row in rows:
        row.version = version
    VersionExample.objects.bulk_create(rows, batch_size=500)
    confirmed = {"personal_ok": findings.counts} if findings else {}
    record(by, "version.freeze", version, dataset.course, files=version.files, **confirmed)
    return version


def _split(dataset, examples, seed, validation, test):
    """({index: split}, what was checked)."""
    copies = splitting.near_copies([f"{row.question}\n{row.answer}" for row in examples])
    parents = dict(dataset.course.sections.values_list("pk", "parent_id"))
    grouped = splitting.groups(splitting.section_keys(examples, parents), copies)
    placed = splitting.split(grouped, seed, validation, test)
    splitting.check_enough(placed)
    checks = {"groups": len(grouped), "near_copies": len(copies), "across_splits": _across(copies, placed)}
    return placed, checks


def _rows(dataset, examples, placed):
    rows = []
    for index, example in enumerate(examples):
        rows.append(
            VersionExample(
                example=example,
                section_id=example.section_id,
                split=placed[index],
                position=index,
                line=example.line(dataset.instructions),
                rejected=example.rejected,
                tokens=count_messages(example.with_instructions(dataset.instructions)),
            )
        )
    return rows


def _statistics(rows):
    """Examples and o200k tokens of one split."""
    tokens = [row.tokens for row in rows]
    return {
        "examples": len(rows),
        "sections": len({row.section_id for row in rows if row.section_id}),
        "tokens": sum(tokens),
        "shortest": min(tokens, default=0),
        "median": median(tokens) if tokens else 0,
        "longest": max(tokens, default=0),
        "preferences": _preferences([row for row in rows if row.rejected]),
    }


def _preferences(rows):
    """Those with a worse answer; their tokens count both answers, as both are read in training."""
    worse = sum(count_messages([row.rejected]) for row in rows)
    return {"examples": len(rows), "tokens": sum(row.tokens for row in rows) + worse}


def _file(rows):
    data = "".join(f"{row.line}\n" for row in rows).encode()
    return {"sha256": formats.digest(data), "bytes": len(data)}


def _across(copies, placed):
    """Near-copies that stand on two sides of a border: always 0, and written down as the proof."""
    return sum(placed[one] != placed[other] for one, other in copies)
