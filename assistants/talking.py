"""A question to an assistant, answered whole or as a stream, and written down with what it cost."""

from dataclasses import dataclass
from decimal import Decimal
from time import monotonic

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils.translation import gettext as _

from assistants.models import Conversation, Message
from assistants.watching import Revoked, watched
from common.states import Refused
from common.tokens import count, count_messages
from providers import client
from providers.errors import GivenUp, ProviderError, TryAgain
from providers.models import LedgerEntry
from providers.pricing import answer_cost

MOST_TOKENS = 400
LONGEST_QUESTION = 8000
REMEMBERED = 6


@dataclass
class Used:
    asked: int
    told: int


def check_question(text: str) -> str:
    text = text.strip().replace("\x00", "")
    if not text:
        raise Refused(_("Write a question first."))
    if len(text) > LONGEST_QUESTION:
        raise Refused(_("The question is longer than %d characters.") % LONGEST_QUESTION)
    return text


@transaction.atomic
def ask(assistant, user, text, conversation=None):
    """Put the question down; the answers come by `stream`."""
    if conversation is None:
        conversation = Conversation.objects.create(assistant=assistant, user=user)
    return conversation.messages.create(side=Message.Side.ASKED, text=check_question(text))


def dialogue(question, side):
    """What this side is to see: the last turns of the conversation with its own answers, then the question."""
    before = question.conversation.messages.filter(pk__lt=question.pk, side__in=[Message.Side.ASKED, side])
    turns = list(before.order_by("-pk")[:REMEMBERED])[::-1]
    while turns and turns[0].side != Message.Side.ASKED:
        del turns[0]
    told = [
        {"role": "user" if turn.side == Message.Side.ASKED else "assistant", "content": turn.text}
        for turn in turns
    ]
    return question.conversation.assistant.briefed([*told, {"role": "user", "content": question.text}])


def line_to(assistant, side=Message.Side.TUNED):
    """(provider, callable name) of one side."""
    base = side == Message.Side.BASE
    return assistant.deployment.provider, assistant.base.name if base else assistant.deployment.name


async def stream(provider, name, messages, **options):
    """Pieces of text as they come, then `Used`; a ProviderError where it fails."""
    used, told = None, []
    body = {"max_tokens": MOST_TOKENS, "temperature": 0, **options}
    async for chunk in client.stream(provider, model=name, messages=messages, **body):
        if chunk.usage:
            used = Used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if chunk.choices and chunk.choices[0].delta.content:
            told.append(chunk.choices[0].delta.content)
            yield told[-1]
    yield used or Used(count_messages(messages), count("".join(told)))


async def answer(question, side, reader):
    """The stream of one side's answer. What came of it is kept, though the reader leaves early; a refusal is free."""
    messages = await sync_to_async(dialogue)(question, side)
    line = await sync_to_async(line_to)(question.conversation.assistant, side)
    begun, told, used, refused = monotonic(), [], None, False
    try:
        async for piece in watched(stream(*line, messages), reader):
            if isinstance(piece, Used):
                used = piece
            else:
                told.append(piece)
                yield piece
    except (TryAgain, GivenUp):
        refused = not told
        raise
    finally:
        if not refused:
            text = "".join(told).replace("\x00", "")
            used = used or Used(count_messages(messages), count(text))
            milliseconds = int((monotonic() - begun) * 1000)
            await sync_to_async(keep)(question, side, text, used, milliseconds)


def keep(question, side, text, used, milliseconds):
    assistant = question.conversation.assistant
    cost = charge(assistant, used, question.conversation.user)
    if text:
        question.conversation.messages.create(
            side=side, text=text, prompt_tokens=used.asked, answer_tokens=used.told,
            milliseconds=milliseconds, cost=cost,
        )  # fmt: skip


def charge(assistant, used, by) -> Decimal:
    """What an answer cost goes into the ledger after the fact."""
    cost = answer_cost(assistant.base, used.asked, used.told)
    entry = LedgerEntry.objects.reserve(
        assistant.course, LedgerEntry.Purpose.CHAT, assistant.base, used.asked + used.told, 0, by=by
    )
    entry.settle(cost, used.asked + used.told)
    return cost


def problem_of(error: ProviderError) -> str:
    return error.text if isinstance(error, Revoked) else _("The model did not answer: %s") % error.text
