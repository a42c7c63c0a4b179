"""The next token of each row, by its own temperature, penalties, grammar and seed."""

from collections import Counter

import torch


def choose(logits, replies):
    """A (token, chances) pair for every row; the chances, log-probabilities, only where they are asked for."""
    logits = logits.float()
    likeliest = logits.argmax(-1).tolist()
    return [_choose(logits[row], likeliest[row], reply) for row, reply in enumerate(replies)]


def _choose(scores, likeliest, reply):
    settings = reply.settings
    if settings.changes_scores:
        scores = _changed(scores, reply)
        likeliest = scores.argmax().item()
    chances = scores.log_softmax(-1) if settings.top_logprobs is not None else None
    if reply.guide:
        # After the chances, which tell what the model itself would say.
        scores = _allowed(scores, reply.guide)
        likeliest = scores.argmax().item()
    if not settings.temperature:
        return likeliest, chances
    reply.chance = reply.chance or _chance(reply.seed)
    return _draw(scores.cpu(), settings.temperature, settings.top_p, reply.chance), chances


def _changed(scores, reply):
    """As OpenAI documents it: a bias, and less for tokens that the reply already has."""
    settings, scores = reply.settings, scores.clone()
    for token, bias in settings.logit_bias.items():
        scores[token] += bias
    for token, count in Counter(reply.ids).items():
        scores[token] -= settings.frequency_penalty * count + settings.presence_penalty
    return scores


def _allowed(scores, guide):
    tokens = torch.from_numpy(guide.tokens).to(scores.device)
    # A tokenizer may have more tokens than the model knows.
    tokens = tokens[tokens < len(scores)]
    allowed = torch.full_like(scores, -torch.inf)
    allowed[tokens] = scores[tokens]
    return allowed


def _chance(seed):
    chance = torch.Generator()
    chance.seed() if seed is None else chance.manual_seed(seed)
    return chance


def _draw(scores, temperature, top_p, chance):
    chances = torch.softmax(scores / temperature, dim=-1)
    chances, tokens = chances.sort(descending=True)
    before = chances.cumsum(-1) - chances
    # At least the likeliest token stays, however small top_p is.
    before[0] = 0.0
    chances[before > top_p] = 0.0
    return tokens[torch.multinomial(chances, 1, generator=chance)].item()
