"""One reply while it is written: its settings, its text so far, and when it is finished."""

from typing import NamedTuple

from engine.tool_calls import before_mark, split


class Piece(NamedTuple):
    index: int
    text: str
    finish: str | None = None
    logprobs: list = []
    calls: list = []


class Reply:
    """`emit` takes each Piece, or the exception that ended the writing, on the writing thread."""

    def __init__(self, *, base, adapter, prompt, index, settings, decode, emit, guide=None):
        self.base, self.adapter, self.prompt, self.index = base, adapter, prompt, index
        self.settings, self.max_tokens, self.stop = settings, settings.max_tokens, settings.stop
        self.seed = None if settings.seed is None else settings.seed + index
        self.names = {function["name"] for function in settings.functions}
        self.ids, self.finish, self.cancelled = [], None, False
        self.chance, self.guide = None, guide
        self._decode, self._emit = decode, emit
        self._shown, self._called, self._notes = "", 0, []

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
        elif self.guide and not self._follow(token):
            return
        text = self._cut(self._decode(self.ids))
        if self.finish is None and len(self.ids) >= self.max_tokens:
            self.finish = "length"
        self._show(*self._split(text if self.finish else self._sure(text)))

    def _follow(self, token):
        """Whether the grammar goes on from here, or is complete."""
        try:
            self.guide.take(token)
        except ValueError as error:
            self.break_off(error)
            return False
        if self.guide.done:
            self.finish = "stop"
        return True

    def _split(self, text):
        """Content and calls; a reply that may have no more calls ends with its last."""
        if not self.names:
            return text, []
        most = self.settings.most_calls
        content, calls = split(text, self.names, most, self.finish)
        if calls and (self.finish == "stop" or len(calls) == most):
            self.finish = "tool_calls"
        return content, calls

    def _show(self, text, calls):
        if self.finish or len(text) > len(self._shown) or len(calls) > self._called:
            new = [call.shown(index) for index, call in enumerate(calls) if index >= self._called]
            self._emit(Piece(self.index, text[len(self._shown) :], self.finish, self._notes, new))
            self._shown, self._called, self._notes = text, len(calls), []

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
        return before_mark(text.rstrip("\ufffd"), self.stop)
