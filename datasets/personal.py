"""Personal data in examples, and what of it a freeze would put into the training file."""

from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common import personal
from common.personal import MOST, Kind
from common.states import Refused
from common.tokens import text_of
from courses.models import Text

SPOKEN = ("content", "refusal", "tool_calls")
LABELS = {"type", "id", "name"}


def in_messages(messages: list, language: str) -> list[dict]:
    """The first MOST findings, each with the index of its `message`; offsets count characters of its text.

    What stands in a call or a refusal has the `field` besides, and offsets in that string.
    """
    found = []
    for index, message in enumerate(messages):
        for place, text, start in _strings(message):
            for each in personal.kept(text, language):
                moved = {"start": each["start"] + start, "end": each["end"] + start}
                found.append({"message": index, **each, **moved, **({"field": place} if place else {})})
        if len(found) >= MOST:
            break
    return found[:MOST]


def _strings(message):
    """(field or "", string, where it begins) of all that is said in a message; parts of a content join on."""
    start = 0
    for text in _within(message.get("content")):
        yield "", text, start
        start += len(text)
    for key in SPOKEN[1:]:
        for text in _within(message.get(key)):
            yield key, text, 0


def _within(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in LABELS:
                yield from _within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _within(each)


def redacted(messages: list, language: str) -> list:
    """The same messages with placeholders in place of personal data; all else stays as it was."""

    def changed(value):
        if isinstance(value, str):
            return personal.redacted(value, language)
        if isinstance(value, dict):
            return {key: each if key in LABELS else changed(each) for key, each in value.items()}
        return [changed(each) for each in value] if isinstance(value, list) else value

    return [
        {key: changed(value) if key in SPOKEN else value for key, value in message.items()}
        for message in messages
    ]


def marked(example) -> list[tuple[str, list]]:
    """Each message for a page: (role, pieces of its text with what they are)."""
    told = []
    for index, message in enumerate(example.messages):
        here = [each for each in example.personal if each["message"] == index and "field" not in each]
        told.append((message["role"], personal.pieces(text_of(message), here)))
    return told


def listed(example) -> list[dict]:
    """Each finding with its `label` and the `role` of the message that it stands in."""
    roles = [message["role"] for message in example.messages]
    return [
        {**each, "label": Kind(each["kind"]).label, "role": roles[each["message"]]}
        for each in example.personal
    ]


def labelled(counts: dict) -> list[tuple[str, int]]:
    """The counts of a version in the words of the pages."""
    labels = {**dict(Kind.choices), "instructions": _("instructions")}
    return [(labels[kind], count) for kind, count in counts.items() if kind in labels]


class HoldsPersonal(Refused):
    """A freeze that nobody has confirmed."""


@dataclass
class Findings:
    """What the approved examples of a data set hold: how many of them, by kind, and the first three."""

    examples: int = 0
    by_kind: Counter = field(default_factory=Counter)
    first: list = field(default_factory=list)
    texts: int = 0
    in_instructions: bool = False

    @classmethod
    def of(cls, dataset, rows=None):
        """`rows` are (key, findings) of its approved examples that hold some, where they are at hand."""
        if rows is None:
            held = dataset.examples.approved().with_personal().order_by("pk")
            rows = list(held.values_list("pk", "personal"))
        return cls(
            examples=len(rows),
            by_kind=Counter(kind for _pk, found in rows for kind in personal.kinds(found)),
            first=[pk for pk, _found in rows[:3]],
            texts=Text.objects.current().of(dataset.course).with_personal().count(),
            in_instructions=bool(personal.find(dataset.instructions, dataset.course.language)),
        )

    def __bool__(self):
        return bool(self.examples or self.in_instructions)

    @property
    def counts(self):
        """As a version keeps it: {kind: examples}, and a word on the instructions."""
        told = {kind: self.by_kind[kind] for kind in Kind.values if kind in self.by_kind}
        return told | ({"instructions": 1} if self.in_instructions else {})

    @property
    def by_label(self):
        return labelled({kind: self.by_kind[kind] for kind in Kind.values if kind in self.by_kind})

    def refuse(self):
        raise HoldsPersonal(
            " ".join([*self._told(), _("Freezing puts it into the training file."), self._way_out()])
        )

    def _told(self):
        if self.examples:
            numbers = ", ".join(f"{label}: {count}" for label, count in self.by_label)
            yield ngettext(
                "%(count)d approved example holds personal data (%(kinds)s): number %(first)s.",
                "%(count)d approved examples hold personal data (%(kinds)s), the first of them number %(first)s.",
                self.examples,
            ) % {"count": self.examples, "kinds": numbers, "first": ", ".join(map(str, self.first))}
        if self.in_instructions:
            yield _("The instructions hold personal data.")

    def _way_out(self):
        return _("Replace it with placeholders or reject the examples; or confirm with “personal_ok”.")
