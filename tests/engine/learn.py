"""Some steps in float32, in which the order of sums hardly counts: alone, or as one of several under torchrun."""

import json
import sys

from engine import ranks
from engine.encoding import ChatEncoder
from engine.preferences import PreferenceTraining
from engine.training import LoraTraining
from tests.engine.talk import chat, preference

STEPS = 4


def metrics(training, examples):
    training.model.float()
    for step in range(1, STEPS + 1):
        # The last batch is too small for all to have a share.
        batch = examples[:1] if step == STEPS else examples[step:]
        yield training.step(step, batch, alive=int)
    yield training.validate(examples, alive=int)


def main(base):
    ranks.meet()
    encoder = ChatEncoder.load(base)
    settings = base, 1, 1e-2, STEPS
    chats = [chat("Why?" * n, "Because. " * n) for n in range(1, 10)]
    pairs = [preference("Why?" * n, "Because. " * n, "No. " * (10 - n)) for n in range(1, 10)]
    found = [
        *metrics(LoraTraining(*settings), [encoder.encode(each, "supervised") for each in chats]),
        *metrics(PreferenceTraining(*settings, beta=0.1), [encoder.encode(each, "dpo") for each in pairs]),
    ]
    if ranks.FIRST:
        print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
