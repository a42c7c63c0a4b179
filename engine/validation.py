"""Check the files of new jobs, and settle what `auto` means for them."""

from functools import lru_cache

from engine.encoding import ChatEncoder, Pair
from engine.examples import InvalidFile, read_examples
from engine.hyperparameters import resolve
from engine.worker import Worker

MIN_EXAMPLES = 10
# Reading a tokenizer takes longer than checking a small file with it.
load_encoder = lru_cache(maxsize=4)(ChatEncoder.load)


class Validator(Worker):
    statuses = ("validating_files",)

    def work(self, job):
        base = self.bases[job["model"]]
        folder = self.jobs.folder(job)
        encoder = load_encoder(base.folder())
        context = base.card()["context_window"]
        counts = {}
        for kind in ("training", "validation"):
            if job[f"{kind}_file"] is None:
                continue
            self.jobs.say(job, f"validating-{kind}", f"Validating {kind} file: {job[f'{kind}_file']}")
            try:
                counts[kind] = count_examples(folder / f"{kind}.jsonl", encoder, context, job["method"])
            except InvalidFile as error:
                message = f"The {kind} file is not valid. {error}"
                return self.jobs.fail(job, f"invalid_{kind}_file", message, f"{kind}_file")
        if counts["training"] < MIN_EXAMPLES:
            has = f"Training file has {counts['training']} example(s)"
            message = f"{has}, but must have at least {MIN_EXAMPLES} examples"
            return self.jobs.fail(job, "invalid_n_examples", message, "training_file")
        self.jobs.queue(job, resolve(job["hyperparameters"], counts["training"]))


def count_examples(path, encoder, context, method="supervised"):
    """How many examples the file has; raises InvalidFile."""
    count = 0
    for line, example in read_examples(path, method):
        count += 1
        try:
            tokens = _longest(encoder.encode(example, method))
        except ValueError as error:
            raise InvalidFile(f"Line {line}: {error}") from error
        if tokens > context:
            raise InvalidFile(f"Line {line}: the example has {tokens} tokens; the model reads {context}")
    if not count:
        raise InvalidFile("The file is empty.")
    return count


def _longest(encoded):
    return max(chat.width for chat in encoded) if isinstance(encoded, Pair) else encoded.width
