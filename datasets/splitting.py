"""Which examples go to train, validation and test: by section, never by row, and never apart from a near-copy."""

import random
import re
from collections import defaultdict

from django.utils.translation import gettext as _

from common.states import Refused
from datasets.states import Split

WORD = re.compile(r"\w+")
SHINGLE = 4
ALIKE = 0.7
FEWEST_TRAIN = 10
FEWEST_ROOTS = 6


def shingles(text: str) -> frozenset:
    words = WORD.findall(text.casefold())
    return frozenset(zip(*(words[n:] for n in range(SHINGLE)), strict=False)) or frozenset([tuple(words)])


def near_copies(texts: list[str]) -> list[tuple[int, int]]:
    """Index pairs whose sets of four-word runs have a Jaccard likeness of ALIKE or more.

    Only pairs that share one of their rarest runs are compared: two sets that are alike must.
    """
    sets = [shingles(text) for text in texts]
    spread = defaultdict(int)
    for runs in sets:
        for run in runs:
            spread[run] += 1
    seen, pairs = defaultdict(list), []
    for here, runs in enumerate(sets):
        rarest = sorted(runs, key=lambda run: (spread[run], run))[: int(len(runs) * (1 - ALIKE)) + 1]
        for there in {other for run in rarest for other in seen[run]}:
            shared = len(runs & sets[there])
            if shared / (len(runs) + len(sets[there]) - shared) >= ALIKE:
                pairs.append((there, here))
        for run in rarest:
            seen[run].append(here)
    return pairs


def groups(keys: list, copies: list[tuple[int, int]]) -> dict:
    """{group: [indexes]}: rows with the same key belong together, and so do groups that share a near-copy."""
    leader = {key: key for key in keys}

    def top(key):
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    for one, other in copies:
        leader[top(keys[other])] = top(keys[one])
    found = defaultdict(list)
    for index, key in enumerate(keys):
        found[top(key)].append(index)
    return dict(found)


def split(grouped: dict, seed: int, validation: float, test: float) -> dict[int, str]:
    """{index: split}: whole groups, shuffled by the seed, fill the test set, then validation; the rest trains.

    The groups are taken in the order of their first rows, so the same rows and seed give the same split.
    """
    names = sorted(grouped, key=lambda name: grouped[name][0])
    random.Random(seed).shuffle(names)
    total = sum(map(len, grouped.values()))
    wanted = [(Split.TEST, test), (Split.VALIDATION, validation)]
    placed = {}
    for name, share in wanted:
        room = round(total * share)
        while share and room > 0 and len(names) > 1:
            fitting = next((each for each in names if len(grouped[each]) <= room * 1.3), None)
            if fitting is None:
                if any(where == name for where in placed.values()):
                    break
                fitting = min(names, key=lambda each: len(grouped[each]))
            names.remove(fitting)
            room -= len(grouped[fitting])
            placed.update(dict.fromkeys(grouped[fitting], name))
    for name in names:
        placed.update(dict.fromkeys(grouped[name], Split.TRAIN))
    return placed


def section_keys(examples, parents: dict) -> list:
    """What each example is kept together with, from {section: its parent}.

    The heading that its file begins with, where the course has FEWEST_ROOTS of them; else its own heading.
    """

    def root(section):
        while parents.get(section):
            section = parents[section]
        return section

    roots = {root(row.section_id) for row in examples if row.section_id}
    whole_files = len(roots) >= FEWEST_ROOTS
    return [
        ("section", root(row.section_id) if whole_files else row.section_id)
        if row.section_id
        else ("example", row.pk)
        for row in examples
    ]


def check_enough(placed: dict):
    count = sum(where == Split.TRAIN for where in placed.values())
    if count < FEWEST_TRAIN:
        raise Refused(
            _(
                "%(count)d examples would train, and providers want at least %(fewest)d. Approve more examples."
            )
            % {"count": count, "fewest": FEWEST_TRAIN}
        )
