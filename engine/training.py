"""LoRA training of one model: a step, a validation, a snapshot to resume from."""

import json
import os
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from engine import ranks
from engine.batching import IGNORED, learning_rate, passes, tensors
from engine.hyperparameters import ALPHA, RANK

CLIP_NORM = 1.0


def device():
    return f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else "cpu"


def training_dtype():
    """bfloat16 where the machine multiplies it natively: elsewhere it is emulated, and slower."""
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


class LoraTraining:
    """The frozen base in `dtype`, the adapters and their optimizer in float32.

    A step depends on the weights, the optimizer, the seed and the step's number only,
    so that a resumed run repeats an undisturbed one.
    """

    # What each metric is a mean over, for one example.
    COUNTS = {"loss": lambda example: example.targets, "mean_token_accuracy": lambda example: example.targets}

    def __init__(self, base, seed, peak, total_steps):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.seed, self.peak, self.total_steps = seed, peak, total_steps
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=training_dtype(), use_safetensors=True, trust_remote_code=False
        )
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        self.model = get_peft_model(model.to(device()), config)
        self.weights = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(self.weights.values(), weight_decay=0.0)

    def step(self, number, examples, alive):
        """One optimizer step; returns the metrics, means over what was trained on.

        `alive` is called after every forward pass: a large batch is many of them.
        """
        torch.manual_seed(self.seed + number)
        self.model.train()
        self.optimizer.param_groups[0]["lr"] = learning_rate(number, self.total_steps, self.peak)
        metrics = self._over(examples, alive, learn=True)
        ranks.add_gradients(self.weights.values())
        torch.nn.utils.clip_grad_norm_(self.weights.values(), CLIP_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return metrics

    @torch.no_grad()
    def validate(self, examples, alive):
        """The metrics over all of the examples."""
        self.model.eval()
        return self._over(examples, alive, learn=False)

    def _over(self, examples, alive, learn):
        totals = {name: sum(map(count, examples)) for name, count in self.COUNTS.items()}
        sums = dict.fromkeys(totals, 0.0)
        for group in passes(ranks.share(examples)):
            found = self._forward(group)
            if learn:
                (found["loss"] / totals["loss"]).backward()
            for name, value in found.items():
                sums[name] += value.item()
            alive()
        sums = dict(zip(sums, ranks.sums([*sums.values()]), strict=True))
        return {name: sums[name] / total for name, total in totals.items()}

    def _forward(self, group):
        """The sum of each metric over a group."""
        logits, targets = self._guesses(group)
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        return {"loss": loss, "mean_token_accuracy": (logits.argmax(-1) == targets).sum()}

    def _guesses(self, group):
        """Logits and targets of the columns that have any: no other reaches the vocabulary."""
        ids, mask, labels = (tensor.to(device()) for tensor in tensors(group))
        targets = labels[:, 1:]
        columns = (targets != IGNORED).any(0).nonzero().squeeze(1)
        output = self.model(input_ids=ids, attention_mask=mask, logits_to_keep=columns, use_cache=False)
        return output.logits.float(), targets[:, columns]

    def tokens(self, example):
        return example.width

    def save_adapter(self, folder):
        """A PEFT folder, complete or absent."""
        if folder.exists():
            return
        draft = folder.with_name(folder.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        self.model.save_pretrained(draft)
        for path in draft.iterdir():
            _to_disk(path)
        draft.rename(folder)

    def save(self, path, **progress):
        """All that a later process needs to go on, in one file, replaced as a whole."""
        state = {f"weight/{name}": weight.detach() for name, weight in self.weights.items()}
        for name, weight in self.weights.items():
            for key, value in self.optimizer.state[weight].items():
                state[f"{key}/{name}"] = value
        draft = path.with_suffix(".draft")
        save_file(state, draft, metadata={name: json.dumps(value) for name, value in progress.items()})
        _to_disk(draft)
        draft.replace(path)

    def restore(self, path):
        """Take up a saved state; returns its progress, or raises SafetensorError for a torn file."""
        with safe_open(path, "pt", device=device()) as state, torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(state.get_tensor(f"weight/{name}"))
                self.optimizer.state[weight] = {
                    key: state.get_tensor(f"{key}/{name}") for key in ("step", "exp_avg", "exp_avg_sq")
                }
            return {name: json.loads(value) for name, value in state.metadata().items()}


def _to_disk(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())
