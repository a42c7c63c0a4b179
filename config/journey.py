"""The way from a folder of texts to a model in use, by the same verbs that pages and API call.

`manage.py tune` walks it whole, `manage.py demo` its beginning.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.states import Refused
from courses.models import Course
from courses.uploading import add_texts
from datasets.freezing import freeze
from datasets.models import Dataset
from providers.models import Model

READ = (".md", ".markdown", ".txt")


@dataclass
class Folder:
    """A course on disk: its texts, and what its course.toml says."""

    path: Path
    title: str = ""
    language: str = "en"
    description: str = ""
    instructions: str = ""
    texts: list = field(default_factory=list)

    @classmethod
    def read(cls, path, **named):
        """`named` values that are given win over those of course.toml."""
        path = Path(path)
        if not path.is_dir():
            raise Refused(_("There is no folder %s.") % path)
        told = _settings(path / "course.toml")
        told |= {name: value for name, value in named.items() if value}
        unknown = set(told) - {"title", "language", "description", "instructions"}
        if unknown:
            raise Refused(
                _("%(file)s: unknown setting “%(name)s”.") % {"file": "course.toml", "name": min(unknown)}
            )
        texts = sorted(
            each for each in path.iterdir() if each.suffix.lower() in READ and each.name != "README.md"
        )
        if not texts:
            raise Refused(_("%s holds no .md or .txt file: choose a course that holds text.") % path)
        return cls(path, **{"title": path.name, **told}, texts=texts)


def _settings(file):
    try:
        return tomllib.loads(file.read_text()) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{file}: {error}") from error


@dataclass
class OnDisk:
    """A file of the folder, as an upload looks."""

    path: Path

    @property
    def name(self):
        return self.path.name

    @property
    def size(self):
        return self.path.stat().st_size

    def read(self):
        return self.path.read_bytes()


def bring_course(folder: Folder, owner) -> Course:
    """The owner's course of this title with the folder's texts; a second time brings only what has changed."""
    owned = Course.objects.filter(title=folder.title, memberships__user=owner, memberships__role="owner")
    course = owned.first() or Course.objects.start(
        by=owner, title=folder.title, language=folder.language, description=folder.description
    )
    done = add_texts(course, [OnDisk(path) for path in folder.texts], by=owner)
    if done.problems:
        raise Refused("\n".join(done.problems))
    return course


def build_examples(course, instructions, owner) -> Dataset:
    dataset = course.datasets.order_by("pk").first() or Dataset.objects.start(
        course, course.title, instructions, by=owner
    )
    dataset.build(by=owner)
    return dataset


@transaction.atomic
def frozen(dataset, owner, seed, personal_ok=False):
    """All drafts approved and frozen; the last version again where nothing has changed since.

    Where personal data stands in the way, nothing is approved either.
    """
    dataset.approve_drafts(by=owner)
    last = dataset.versions.first()
    lines = sorted(example.line(dataset.instructions) for example in dataset.examples.approved())
    if last and last.seed == seed and sorted(last.examples.values_list("line", flat=True)) == lines:
        return last
    return freeze(dataset, by=owner, seed=seed, personal_ok=personal_ok)


def choose_model(provider="", model="") -> Model:
    """The model that is named, or the first that this installation can train."""
    rows = Model.objects.trainable().order_by("provider", "pk")
    if provider:
        rows = rows.filter(Q(provider__name__iexact=provider) | Q(provider__kind=provider))
    if model:
        rows = rows.filter(name=model)
    found = rows.first()
    if found is None:
        known = ", ".join(str(row) for row in Model.objects.trainable())
        raise Refused(_("No such model can be tuned here. There are: %s.") % known)
    return found
