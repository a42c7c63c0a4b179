"""What an answer may cost at most is held before it is asked for; what came of it is settled."""

from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal

from asgiref.sync import sync_to_async
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from common.tokens import count, count_messages, text_of
from providers.errors import GivenUp, TryAgain, Unclear
from providers.models import Budget, LedgerEntry, OverBudget, Price
from providers.pricing import answer_cost

FRAME, PREFACE = 16, 256  # tokens that a chat template puts round each message and before them all
MOST_BELIEVED = 10**7


@dataclass
class Used:
    """Tokens of a question and of its answer."""

    asked: int
    told: int

    @classmethod
    def by(cls, usage):
        """As a provider tells it; None where that is no count of tokens."""
        counts = (usage.prompt_tokens, usage.completion_tokens)
        believed = all(type(each) is int and 0 <= each <= MOST_BELIEVED for each in counts)
        return cls(*counts) if believed else None


def most_asked(model, messages) -> int:
    """No tokeniser makes more tokens of a text than it has bytes, and no model takes more than its context."""
    size = sum(len(text_of(each).encode("utf-8", "replace")) + FRAME for each in messages)
    return min(size + PREFACE, model.context_tokens)


def may_cost(assistant) -> bool:
    """Whether any price of its model is above nothing."""
    own = Price.objects.filter(model__jobs__tuned_models__deployments=assistant.deployment_id)
    return own.filter(what__in=[Price.What.INPUT, Price.What.OUTPUT], amount__gt=0).exists()


def priced(assistant):
    """Its base model with all prices read by one query."""
    prefetch_related_objects([assistant.base], "prices")
    return assistant.base


def check_room(assistant, dialogues, most):
    """Refuse what this month has no room for; `dialogues()`, the messages of each answer, is asked for if they cost."""
    if not may_cost(assistant):
        return
    model = priced(assistant)
    worth = sum(answer_cost(model, most_asked(model, messages), most) for messages in dialogues())
    budget = Budget.objects.now(assistant.course)
    if budget is None or worth > budget.free:
        raise OverBudget(
            _(
                "This course's budget for this month has no room for another answer. "
                "An owner or staff can raise it."
            )
        )


class Bill:
    """The money of one answer, from its reservation to what was used. OverBudget where there is no room."""

    def __init__(self, assistant, messages, most, by):
        self.model, self.messages = priced(assistant), messages
        asked = most_asked(self.model, messages)
        self.entry = LedgerEntry.objects.reserve(
            assistant.course, LedgerEntry.Purpose.CHAT, self.model, asked + most,
            answer_cost(self.model, asked, most), by=by,
        )  # fmt: skip
        self.told, self.used, self.free, self.cost = [], None, False, None

    @property
    def text(self):
        return "".join(self.told)

    async def over(self, pieces):
        """The pieces as they come. What was told is paid, though the reader leaves early; a failure is free."""
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    self.note(piece)
                    yield piece
        except (TryAgain, GivenUp, Unclear) as error:
            broken_off = isinstance(error, Unclear) and error.status is None
            self.free = not self.told and not broken_off
            raise
        finally:
            await sync_to_async(self.settle)()

    def note(self, piece):
        if isinstance(piece, Used):
            self.used = piece
        else:
            self.told.append(piece)

    def settle(self) -> Decimal:
        """What it cost; written once, however often it is called."""
        if self.cost is None:
            used = self.spent()
            self.cost = answer_cost(self.model, used.asked, used.told)
            self.entry.settle(self.cost, used.asked + used.told)
        return self.cost

    def spent(self) -> Used:
        """As the provider told, else as we count."""
        if self.free:
            return Used(0, 0)
        return self.used or Used(count_messages(self.messages), count(self.text))

    def drop(self):
        """Nothing was asked for after all."""
        self.free = self.free or not (self.told or self.used)
        self.settle()
