"""One reply while it is written: its settings, its text so far, and when it is finished."""

from typing import NamedTuple


class Piece(NamedTuple):
    index: int
    text: str
    finish: str | None = None
    logprobs: list = []


class Reply:
    """`emit` takes each Piece, or the exception that ended the writing, on the writing thread."""

    def __init__(self, *, base, adapter, prompt, index, settings, decode, emit):
        self.base, self.adapter, self.prompt, self.index = base, adapter, prompt, index
        self.settings, self.max_tokens, self.stop = settings, settings.max_tokens, settings.stop
        self.seed = None if settings.seed is None else settings.seed + index
        self.ids, self.finish, self.cancelled = [], None, False
        self.chance = None
        self._decode, self._emit, self._shown = decode, emit, ""
        self._notes = []

    @property
    def ended(self):
        return self.cancelled or self.finish is not None

    @property
    def length(self):
        return len(self.prompt) + len(self.ids)

    def note(self, logprobs):
        """What the next token's chances were; it goes out with the text."""
        self._notes.append(logprobs)

    def take(self, token, end_tokens):
        """Add a token, and emit the text that is sure to stay."""
        self.ids.append(token)
        if token in end_tokens:
            self.finish = "stop"
        text = self._cut(self._decode(self.ids))
        if self.finish is None and len(self.ids) >= self.max_tokens:
            self.finish = "length"
        visible = text if self.finish else self._sure(text)
        if self.finish or len(visible) > len(self._shown):
            self._emit(Piece(self.index, visible[len(self._shown) :], self.finish, self._notes))
            self._shown, self._notes = visible, []

    def break_off(self, error):
        self.cancelled = True
        self._emit(error)

    def _cut(self, text):
        places = [place for place in (text.find(stop) for stop in self.stop) if place >= 0]
        if not places:
            return text
        self.finish = "stop"
        return text[: min(places)]

    def _sure(self, text):
        """The text without a tail that may still change: half a character, or the start of a stop string."""
        text = text.rstrip("\ufffd")
        tails = [stop[:length] for stop in self.stop for length in range(1, len(stop))]
        return text[: len(text) - max((len(tail) for tail in tails if text.endswith(tail)), default=0)]
