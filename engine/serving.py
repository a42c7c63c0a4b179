"""Answer chats: one base model in memory, adapters attached when asked for, all chats in one batch.

A chat that comes while others are written joins them: writing stops after a token, and goes on with all.
"""

import logging
import threading
import time

from engine.encoding import ChatEncoder

logger = logging.getLogger(__name__)

MAX_ROWS = 8
# Prompt tokens in a batch, padding included: bounds the memory of its first pass.
BATCH_TOKENS = 16384
# Tokens that may be read again so that a newcomer need not wait for the others' end.
REGROUP_TOKENS = 2048
GATHER = 0.05  # seconds that requests sent together may lie apart
MAX_ADAPTERS = 16
BASE_ROW = "__base__"  # peft's name for a row without adapter


class ModelServer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True, name="ModelServer")
        self._waiting, self._busy = [], []
        self._changed, self._encoder_lock = threading.Condition(), threading.Lock()
        self._stopping = False
        self._encoders = {}
        self._base = self._model = None
        self._adapters = {}

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
            for reply in self._waiting + self._busy:
                reply.cancelled = True
            self._changed.notify()

    def run(self):
        while not self._stopping:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
            self._gather()
            self._busy = self._next_batch()
            if self._busy:
                self._answer(self._busy)

    def _gather(self):
        """Wait while requests still come in: a batch costs little more than one of its rows."""
        seen = 0
        while seen < len(self._waiting) < MAX_ROWS:
            seen = len(self._waiting)
            time.sleep(GATHER)

    def _next_batch(self):
        """Those who have waited longest and share a base model, as many as fit."""
        with self._changed:
            self._waiting = [reply for reply in self._waiting if not reply.cancelled]
            batch = []
            for reply in self._waiting:
                if reply.base is self._waiting[0].base and _fits(batch, reply):
                    batch.append(reply)
            self._waiting = [reply for reply in self._waiting if reply not in batch]
            return batch

    def _answer(self, batch):
        try:
            self._generate(batch)
        except Exception as error:
            logger.exception("a batch of %d replies broke off", len(batch))
            for reply in batch:
                reply.break_off(error)
        with self._changed:
            self._waiting = [reply for reply in batch if not reply.ended] + self._waiting

    def _should_regroup(self, batch):
        """Whether somebody waits who fits in, and nobody for another model."""
        rows = [reply for reply in batch if not reply.ended]
        with self._changed:
            waiting = list(self._waiting)
        if not rows or not waiting or sum(reply.length for reply in rows) > REGROUP_TOKENS:
            return False
        return all(reply.base is self._base for reply in waiting) and _fits(rows, waiting[0])

    def _generate(self, batch):
        import torch
        from transformers import GenerationConfig

        from engine.sampling import PerRowEnd, PerRowSampling

        self._load(batch[0].base)
        adapters = self._attach(batch)
        tokenizer = self.encoder(self._base).tokenizer
        prompts = tokenizer.pad(
            {"input_ids": [reply.prompt + reply.ids for reply in batch]},
            padding_side="left",
            return_tensors="pt",
        ).to(self._model.device)
        with torch.inference_mode():
            self._model.generate(
                **prompts,
                **adapters,
                generation_config=GenerationConfig(
                    max_new_tokens=max(reply.max_tokens - len(reply.ids) for reply in batch),
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                ),
                logits_processor=[PerRowSampling(batch)],
                stopping_criteria=[PerRowEnd(batch, self._end_tokens, self._should_regroup)],
            )

    def _load(self, base):
        if self._base is base:
            return
        import torch
        from transformers import AutoModelForCausalLM

        # The old model goes first, so that there is never room needed for two.
        self._base, self._model, self._adapters = None, None, {}
        cuda = torch.cuda.is_available()
        # On a CPU bfloat16 is quicker, but a reply would depend on its neighbours in the batch.
        self._model = AutoModelForCausalLM.from_pretrained(
            base.folder(),
            dtype=torch.bfloat16 if cuda else torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
        )
        self._model.to("cuda" if cuda else "cpu").eval()
        ends = self._model.generation_config.eos_token_id
        self._end_tokens = {*(ends if isinstance(ends, list) else [ends])}
        self._end_tokens.add(self.encoder(base).tokenizer.eos_token_id)
        self._base = base

    def _attach(self, batch):
        """Arguments for `generate` that give every row its adapter."""
        wanted = {reply.adapter for reply in batch if reply.adapter}
        for folder in wanted - self._adapters.keys():
            self._load_adapter(folder)
        # A dict keeps its order: move the wanted to its end, and drop from its front.
        for folder in wanted:
            self._adapters[folder] = self._adapters.pop(folder)
        while len(self._adapters) > MAX_ADAPTERS:
            self._model.delete_adapter(self._adapters.pop(next(iter(self._adapters))))
        if not self._adapters:
            return {}
        return {"adapter_names": [self._adapters.get(reply.adapter, BASE_ROW) for reply in batch]}

    def _load_adapter(self, folder):
        from peft import PeftModel

        name = f"adapter{time.monotonic_ns()}"
        if self._adapters:
            self._model.load_adapter(folder, name)
        else:
            self._model = PeftModel.from_pretrained(self._model, folder, name).eval()
        self._adapters[folder] = name


def _fits(batch, reply):
    longest = max(row.length for row in [*batch, reply])
    return not batch or (len(batch) < MAX_ROWS and longest * (len(batch) + 1) <= BATCH_TOKENS)
