"""Which examples a step sees, as a pure function of the seed and the step, and how they become tensors."""

import math
import random

IGNORED = -100
# Tokens in one forward pass, padding included: bounds memory whatever the batch size.
PASS_TOKENS = 2048
# More padding than this costs longer than another pass.
PASS_PADDING = 256


class Schedule:
    """Every epoch visits all examples once, in an order of its own; the last batch may be smaller."""

    def __init__(self, examples, batch_size, n_epochs, seed):
        self.examples, self.batch_size, self.seed = examples, batch_size, seed
        self.steps_per_epoch = math.ceil(examples / batch_size)
        self.total_steps = self.steps_per_epoch * n_epochs

    def batch(self, step):
        """Positions of the examples of a step, counted from 1."""
        epoch, place = divmod(step - 1, self.steps_per_epoch)
        order = list(range(self.examples))
        random.Random(f"{self.seed}/{epoch}").shuffle(order)
        return order[place * self.batch_size :][: self.batch_size]

    def ends_epoch(self, step):
        return step % self.steps_per_epoch == 0


def learning_rate(step, total_steps, peak):
    """A short linear warm-up, then a cosine towards zero."""
    warm_up = max(1, round(total_steps * 0.05))
    if step <= warm_up:
        return peak * step / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - 1 - warm_up) / (total_steps - warm_up)))


def passes(examples):
    """Cut a batch into groups of examples that one forward pass may hold, similar lengths together.

    Which examples share a batch is left to chance: batches of one length pad less, but teach less a step.
    """
    group, tokens = [], 0
    for example in sorted(examples, key=lambda example: example.width):
        padded = example.width * (len(group) + 1)
        tokens += example.width
        if group and (padded > PASS_TOKENS or padded - tokens > PASS_PADDING):
            yield group
            group, tokens = [], example.width
        group.append(example)
    if group:
        yield group


def tensors(group):
    """Padded ids and attention mask, and labels that are IGNORED where nothing is to be learned."""
    import torch

    width = max(len(example.ids) for example in group)
    ids = torch.zeros(len(group), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(group):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        labels[row, :length] = torch.where(torch.tensor(example.trained), ids[row, :length], IGNORED)
    return ids, mask, labels
