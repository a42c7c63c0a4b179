"""Hooks into `generate`: each row of a batch has its own temperature, seed, and end."""

import torch
from transformers import LogitsProcessor, StoppingCriteria


class PerRowSampling(LogitsProcessor):
    """Draws a token for every sampled row and leaves it as the only possible one."""

    def __init__(self, replies):
        self.replies = replies
        for reply in replies:
            reply.chance = reply.chance or _chance(reply.seed)

    def __call__(self, _ids, scores):
        scores = scores.float()
        for row, reply in enumerate(self.replies):
            if reply.temperature > 0 and not reply.ended:
                token = _draw(scores[row], reply.temperature, reply.top_p, reply.chance)
                scores[row] = float("-inf")
                scores[row, token] = 0.0
        return scores


class PerRowEnd(StoppingCriteria):
    """Hands every row its new token, and says which rows have ended: all of them when `regroup` says so."""

    def __init__(self, replies, end_tokens, regroup):
        self.replies, self.end_tokens, self.regroup = replies, end_tokens, regroup

    def __call__(self, ids, _scores):
        for reply, token in zip(self.replies, ids[:, -1].tolist(), strict=True):
            if not reply.ended:
                reply.take(token, self.end_tokens)
        stop = self.regroup(self.replies)
        return torch.tensor([stop or reply.ended for reply in self.replies], device=ids.device)


def _chance(seed):
    chance = torch.Generator()
    chance.seed() if seed is None else chance.manual_seed(seed)
    return chance


def _draw(scores, temperature, top_p, chance):
    chances = torch.softmax(scores.cpu() / temperature, dim=-1)
    chances, tokens = chances.sort(descending=True)
    before = chances.cumsum(-1) - chances
    # At least the likeliest token stays, however small top_p is.
    before[0] = 0.0
    chances[before > top_p] = 0.0
    return tokens[torch.multinomial(chances, 1, generator=chance)].item()
