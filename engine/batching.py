"""Which examples a step sees, as a pure function of their lengths, the seed and the step, and how they become
tensors."""

import math
import random

IGNORED = -100
# Tokens in one forward pass, padding included: bounds memory whatever the batch size.
PASS_TOKENS = 2048
# Batches that share out their examples by length: more pad less, and are less of a random choice.
WINDOW = 8


class Schedule:
    """Every epoch visits all examples once, in batches and an order of its own; one batch may be smaller.

    Examples of a batch are of similar length, so that little of it is padding.
    """

    def __init__(self, lengths, batch_size, n_epochs, seed):
        self.lengths, self.batch_size, self.seed = lengths, batch_size, seed
        self.steps_per_epoch = math.ceil(len(lengths) / batch_size)
        self.total_steps = self.steps_per_epoch * n_epochs
        self._epoch, self._batches = None, []

    def batch(self, step):
        """Positions of the examples of a step, counted from 1."""
        epoch, place = divmod(step - 1, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(random.Random(f"{self.seed}/{epoch}"))
        return self._batches[place]

    def _shuffled(self, source):
        order, size = list(range(len(self.lengths))), self.batch_size
        source.shuffle(order)
        windows = (order[start : start + WINDOW * size] for start in range(0, len(order), WINDOW * size))
        by_length = [
            position for window in windows for position in sorted(window, key=self.lengths.__getitem__)
        ]
        batches = [by_length[start : start + size] for start in range(0, len(order), size)]
        source.shuffle(batches)
        return batches

    def ends_epoch(self, step):
        return step % self.steps_per_epoch == 0


def learning_rate(step, total_steps, peak):
    """A short linear warm-up, then a cosine towards zero."""
    warm_up = max(1, round(total_steps * 0.05))
    if step <= warm_up:
        return peak * step / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - 1 - warm_up) / (total_steps - warm_up)))


def passes(examples):
    """Cut a batch into groups of examples that one forward pass may hold, similar lengths together."""
    group = []
    for example in sorted(examples, key=lambda example: example.width):
        if group and example.width * (len(group) + 1) > PASS_TOKENS:
            yield group
            group = []
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
