"""Several files at once: each stands or falls by itself, and nothing that was fine is lost."""

from dataclasses import dataclass, field

from common.states import Refused
from courses import reading


@dataclass
class Upload:
    texts: list = field(default_factory=list)
    problems: list = field(default_factory=list)


def add_texts(course, files, by=None) -> Upload:
    """`files` have `.name`, `.size` and `.read()`; a refused one leaves its reason in `problems`."""
    done = Upload()
    for file in files:
        try:
            reading.kind_of(file.name)
            reading.check_size(file.name, file.size)
            done.texts.append(course.add_text(file.name, file.read(), by=by))
        except Refused as problem:
            done.problems.append(str(problem))
    return done
