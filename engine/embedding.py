"""A vector for a text: the mean over the base model's last hidden states, of length 1."""

import math


class Embedding:
    """Waits among the replies and is read as a prompt is, piece by piece; nothing is written behind it.

    `emit` takes the vector, or the exception that ended the reading, on the reading thread.
    """

    adapter = None

    def __init__(self, base, ids, emit):
        self.base, self.prompt, self.emit = base, ids, emit
        self.cancelled, self._sum = False, 0

    @property
    def length(self):
        return len(self.prompt)

    def take(self, states):
        """The hidden states of the next piece, a row for each token."""
        self._sum = self._sum + states.double().sum(0)

    def finish(self):
        vector = (self._sum / self._sum.norm()).tolist()
        whole = all(map(math.isfinite, vector))
        self.emit(vector if whole else ArithmeticError("the hidden states are no numbers"))

    def break_off(self, error):
        self.cancelled = True
        self.emit(error)
