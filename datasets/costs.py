"""What training a version costs on each model, and whether its examples fit."""

from dataclasses import dataclass
from decimal import Decimal

from datasets.states import Split
from providers.models import Model
from providers.pricing import auto_epochs, training_cost


@dataclass
class Offer:
    model: Model
    epochs: int
    tokens: int
    cost: Decimal | None
    too_long: int
    speaks: bool


def offers(version) -> list[Offer]:
    """One for every model that some provider still tunes; `tokens` are o200k tokens x epochs."""
    lengths = list(version.examples.filter(split=Split.TRAIN).values_list("tokens", flat=True))
    epochs, language = auto_epochs(len(lengths)), version.dataset.course.language
    found = []
    for model in Model.objects.open().prefetch_related("prices"):
        cost = training_cost(model, sum(lengths), epochs)
        too_long = sum(length > model.example_tokens for length in lengths)
        found.append(Offer(model, epochs, sum(lengths) * epochs, cost, too_long, model.speaks(language)))
    return found
