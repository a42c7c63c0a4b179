"""Direct preference optimisation: the preferred reply becomes likelier than the other one, measured against
what the untuned model thinks of both (Rafailov et al., 2023). That model is this one with its adapters off."""

import torch
from torch.nn.functional import logsigmoid

from engine.batching import IGNORED
from engine.training import LoraTraining


def _one(_pair):
    return 1


class PreferenceTraining(LoraTraining):
    """A reward is beta times how much likelier tuning has made a reply; the margin is that of a pair."""

    COUNTS = {
        "loss": _one,
        "mean_token_accuracy": lambda pair: pair.preferred.targets,
        "reward_accuracy": _one,
        "reward_margin": _one,
    }

    def __init__(self, *settings, beta):
        super().__init__(*settings)
        self.beta = beta

    def tokens(self, pair):
        return pair.preferred.width + pair.other.width

    def _forward(self, pairs):
        chats = [pair.preferred for pair in pairs] + [pair.other for pair in pairs]
        with torch.no_grad(), self.model.disable_adapter():
            before = _likelihood(*self._guesses(chats))
        logits, targets = self._guesses(chats)
        preferred, other = (self.beta * (_likelihood(logits, targets) - before)).chunk(2)
        return {
            "loss": -logsigmoid(preferred - other).sum(),
            "mean_token_accuracy": (logits.argmax(-1) == targets)[: len(pairs)].sum(),
            "reward_accuracy": (preferred > other).sum(),
            "reward_margin": (preferred - other).sum(),
        }


def _likelihood(logits, targets):
    """Each row's log-probability of its targets."""
    known = targets != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, targets.where(known, 0).unsqueeze(-1)).squeeze(-1)
    return chosen.where(known, 0.0).sum(-1)
