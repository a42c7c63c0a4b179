"""A base model in memory, and the adapters attached to it."""

import time

import torch
from transformers import AutoModelForCausalLM

from engine.memory import Memory, Prompts

MAX_ADAPTERS = 16
BASE_ROW = "__base__"  # peft's name for a row without adapter


def device():
    return "cuda" if torch.cuda.is_available() else "cpu"


class LoadedModel:
    def __init__(self, base, encoder):
        # On a CPU bfloat16 is quicker, but a reply would depend on its neighbours in the batch.
        self._model = AutoModelForCausalLM.from_pretrained(
            base.folder(),
            dtype=torch.bfloat16 if device() == "cuda" else torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
        )
        self._model.to(device()).eval()
        ends = self._model.generation_config.eos_token_id
        self.end_tokens = {*(ends if isinstance(ends, list) else [ends]), encoder.tokenizer.eos_token_id}
        self.base, self.encoder = base, encoder
        self.prompts = Prompts()
        self._adapters = {}

    def read(self, ids, memory, adapters):
        """Logits behind the new ids, which `memory` takes up: a list of ids for each of its rows."""
        return self._pass(ids, memory, adapters).logits[:, -1]

    def states(self, ids, memory):
        """The untuned model's last hidden states at the new ids of a single row."""
        return self._pass([ids], memory, [None], output_hidden_states=True).hidden_states[-1][0]

    @torch.inference_mode()
    def _pass(self, ids, memory, adapters, **more):
        ids = torch.tensor(ids, device=self._model.device)
        memory.extend(ids.shape[1])
        places = (memory.mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        names = [self._adapters[folder] if folder else BASE_ROW for folder in adapters]
        return self._model(
            input_ids=ids,
            attention_mask=memory.mask,
            position_ids=places,
            past_key_values=memory.cache,
            use_cache=True,
            logits_to_keep=1,
            **({"adapter_names": names} if self._adapters else {}),
            **more,
        )

    def begin(self, adapter, ids):
        """What is remembered of the beginning of a prompt."""
        return self.prompts.start(adapter, ids) or Memory.empty(self._model.device)

    def attach(self, folder, busy):
        """Load an adapter unless it is there; the longest unused goes when there are too many."""
        if folder not in self._adapters:
            self._load_adapter(folder)
        self._adapters[folder] = self._adapters.pop(folder)
        for other in [folder for folder in self._adapters if folder not in busy]:
            if len(self._adapters) > MAX_ADAPTERS and other != folder:
                self._model.delete_adapter(self._adapters.pop(other))

    def _load_adapter(self, folder):
        from peft import PeftModel

        name = f"adapter{time.monotonic_ns()}"
        if self._adapters:
            self._model.load_adapter(folder, name)
        else:
            self._model = PeftModel.from_pretrained(self._model, folder, name).eval()
        self._adapters[folder] = name
