"""Answer chats: one base model in memory, and all chats that it answers written together, token by token.

A chat that comes while others are written joins them: a piece of its prompt is read between two tokens of theirs.
"""

import logging
import threading

from engine.embedding import Embedding
from engine.encoding import ChatEncoder

logger = logging.getLogger(__name__)

MAX_ROWS = 8
# Tokens that are remembered at once, padding included: bounds the memory.
BATCH_TOKENS = 16384
# Prompt tokens that are read between two tokens of those who are being answered.
READ_TOKENS = 256


class ModelServer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True, name="ModelServer")
        self._waiting, self._changed = [], threading.Condition()
        self._encoders, self._encoder_lock = {}, threading.Lock()
        self._stopping = False
        self._model = None
        self.tokens_read = self.tokens_written = 0
        self._forget()

    def _forget(self):
        self._rows, self._memory = [], None
        self._newcomer, self._read = None, None

    @property
    def waiting(self):
        return len(self._waiting)

    @property
    def writing(self):
        return len(self._rows)

    def encoder(self, base):
        """The base's ChatEncoder, loaded on first use."""
        with self._encoder_lock:
            if base.name not in self._encoders:
                self._encoders[base.name] = ChatEncoder.load(base.folder())
            return self._encoders[base.name]

    def submit(self, replies):
        with self._changed:
            self._waiting += replies
            self._changed.notify()

    def stop(self):
        with self._changed:
            self._stopping = True
            for reply in [*self._waiting, *self._busy()]:
                reply.cancelled = True
            self._changed.notify()

    def run(self):
        while not self._stopping:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._busy() or self._stopping)
            try:
                self._read_prompts()
                self._write_token()
            except Exception as error:
                logger.exception("%d replies broke off", len(self._busy()))
                for reply in self._busy():
                    reply.break_off(error)
                self._forget()

    def _busy(self):
        return self._rows + ([self._newcomer] if self._newcomer else [])

    def _read_prompts(self):
        """Some tokens of the newcomers' prompts; whose prompt is read to its end joins the rows."""
        budget = READ_TOKENS
        while budget > 0 and (self._newcomer or self._admit()):
            reply, done = self._newcomer, self._read.width
            if reply.cancelled:
                self._newcomer = None
                continue
            piece = reply.prompt[done : done + budget]
            self._read_piece(reply, piece)
            budget -= len(piece)
            self.tokens_read += len(piece)

    def _read_piece(self, reply, piece):
        if isinstance(reply, Embedding):
            reply.take(self._model.states(piece, self._read))
        else:
            logits = self._model.read([piece], self._read, [reply.adapter])
        if self._read.width < len(reply.prompt):
            return
        if isinstance(reply, Embedding):
            self._newcomer = None
            reply.finish()
        else:
            self._join(logits)

    def _admit(self):
        """Take the one who has waited longest, if there is room and it wants the model that is loaded."""
        with self._changed:
            self._waiting = [reply for reply in self._waiting if not reply.cancelled]
            if not self._waiting or not self._fits(self._waiting[0]):
                return False
            self._newcomer = reply = self._waiting.pop(0)
        try:
            self._load(reply)
        except Exception as error:
            logger.exception("a model could not be loaded")
            reply.break_off(error)
        return True

    def _fits(self, reply):
        if not self._rows:
            return True
        width = max(self._memory.width, reply.length)
        return (
            reply.base is self._model.base
            and len(self._rows) < MAX_ROWS
            and width * (len(self._rows) + 1) <= BATCH_TOKENS
        )

    def _load(self, reply):
        from engine.loaded import LoadedModel, device
        from engine.memory import Memory

        self._read = Memory.empty(device())
        if self._model is None or self._model.base is not reply.base:
            # The old model goes first, so that there is never room needed for two.
            self._model = None
            self._model = LoadedModel(reply.base, self.encoder(reply.base))
        if reply.adapter:
            self._model.attach(reply.adapter, {row.adapter for row in self._rows})
        if not isinstance(reply, Embedding):
            self._read = self._model.begin(reply.adapter, reply.prompt)

    def _join(self, logits):
        reply, memory = self._newcomer, self._read
        self._newcomer = None
        self._model.prompts.keep(reply.adapter, reply.prompt, memory.start(len(reply.prompt)))
        self._take(logits, [reply])
        if not reply.ended:
            self._memory = self._memory.joined(memory) if self._rows else memory
            self._rows.append(reply)

    def _write_token(self):
        """One more token for every row; those who have ended make room."""
        left = [place for place, reply in enumerate(self._rows) if not reply.ended]
        if len(left) < len(self._rows):
            self._memory = self._memory.rows(left) if left else None
            self._rows = [self._rows[place] for place in left]
        if self._rows:
            ids = [[reply.ids[-1]] for reply in self._rows]
            logits = self._model.read(ids, self._memory, [reply.adapter for reply in self._rows])
            self._take(logits, self._rows)

    def _take(self, logits, replies):
        from engine.sampling import choose

        self.tokens_written += len(replies)
        encoder, ends = self._model.encoder, self._model.end_tokens
        for reply, (token, chances) in zip(replies, choose(logits, replies), strict=True):
            if chances is not None and token not in ends:
                reply.note(encoder.chances(token, chances, reply.settings.top_logprobs))
            reply.take(token, ends)
