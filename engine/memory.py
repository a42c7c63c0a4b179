"""What a model remembers of texts: the keys and values of their tokens, rows padded on the left to one width."""

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

PROMPT_TOKENS = 2048  # remembered prompts, all together
WORTH = 16  # tokens in common from which on a remembered prompt is used


class Memory:
    """`cache` grows with every pass of the model; `mask` is 1 where a row has a token."""

    def __init__(self, cache, mask):
        self.cache, self.mask = cache, mask

    @classmethod
    def empty(cls, device):
        return cls(DynamicCache(), torch.zeros(1, 0, dtype=torch.long, device=device))

    @property
    def width(self):
        return self.mask.shape[1]

    def extend(self, columns):
        self.mask = pad(self.mask, (0, columns), value=1)

    def _changed(self, change, mask):
        pairs = [(change(layer.keys), change(layer.values)) for layer in self.cache.layers]
        return Memory(DynamicCache(pairs), mask)

    def start(self, length):
        """Of a single row: its first tokens."""
        return self._changed(lambda kept: kept[:, :, :length], self.mask[:, :length])

    def rows(self, places):
        """Those rows alone, without the columns that none of them needs."""
        mask = self.mask[places]
        first = int(mask.any(0).int().argmax())
        return self._changed(lambda kept: kept[places, :, first:], mask[:, first:])

    def widened(self, width):
        more = width - self.width
        if not more:
            return self
        return self._changed(lambda kept: pad(kept, (0, 0, more, 0)), pad(self.mask, (more, 0)))

    def joined(self, other):
        width = max(self.width, other.width)
        ours, theirs = self.widened(width), other.widened(width)
        pairs = [
            (torch.cat([a.keys, b.keys]), torch.cat([a.values, b.values]))
            for a, b in zip(ours.cache.layers, theirs.cache.layers, strict=True)
        ]
        return Memory(DynamicCache(pairs), torch.cat([ours.mask, theirs.mask]))


class Prompts:
    """The last prompts that were read: chats of one course begin with the same instructions."""

    def __init__(self):
        self._known = []

    def keep(self, adapter, ids, memory):
        """The newest at the end; those that it begins with are known through it."""
        self._known = [
            known for known in self._known if (known[0], known[1]) != (adapter, ids[: len(known[1])])
        ]
        self._known.append((adapter, ids, memory))
        while len(self._known) > 1 and sum(len(known[1]) for known in self._known) > PROMPT_TOKENS:
            self._known.pop(0)

    def start(self, adapter, ids):
        """Memory of the longest known beginning of a prompt, or None; its last token is always read."""
        found, length = None, WORTH - 1
        for known_adapter, known, memory in self._known:
            common = _common(known, ids[:-1])
            if known_adapter == adapter and common > length:
                found, length = memory, common
        return found and found.start(length)


def _common(one, other):
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
