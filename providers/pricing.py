"""What training and answering cost, in US dollars, estimated from token counts."""

from decimal import Decimal

MILLION = Decimal(1_000_000)


def auto_epochs(examples: int) -> int:
    """How many epochs `auto` becomes at OpenAI for a file of this many examples."""
    if examples * 3 < 100:
        return min(25, max(1, 100 // max(examples, 1)))
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3


def training_cost(model, tokens: int, epochs: int) -> Decimal | None:
    """Tokens of the training file x epochs x price; None where the price is not known."""
    price = model.price("train")
    return None if price is None else price * tokens * epochs / MILLION


def answer_cost(model, prompt_tokens: int, answer_tokens: int) -> Decimal:
    asked, told = model.price("input") or 0, model.price("output") or 0
    return (Decimal(asked) * prompt_tokens + Decimal(told) * answer_tokens) / MILLION
