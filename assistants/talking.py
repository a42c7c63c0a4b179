"""A question to an assistant, answered whole or as a stream, and written down with what it cost."""

from contextlib import aclosing
from time import monotonic
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils.translation import gettext as _

from assistants.models import Conversation, Message
from assistants.paying import Bill, Used, check_room
from assistants.watching import Revoked, watched
from common.states import Refused
from common.tokens import count, count_messages
from finetuning.deploying import unless_early
from finetuning.models import Deployment
from providers import client
from providers.errors import GivenUp, ProviderError
from providers.models import OverBudget, Provider

MOST_TOKENS = 400
LONGEST_QUESTION = 8000
REMEMBERED = 6
SIDES = (Message.Side.TUNED, Message.Side.BASE)


class Unpaid(ProviderError):
    """The budget ran out between the question and its answer."""


def check_question(text: str) -> str:
    text = text.strip().replace("\x00", "")
    if not text:
        raise Refused(_("Write a question first."))
    if len(text) > LONGEST_QUESTION:
        raise Refused(_("The question is longer than %d characters.") % LONGEST_QUESTION)
    return text


@transaction.atomic
def ask(assistant, user, text, conversation=None):
    """Put the question down, if there is money for both answers; they come by `answer`."""
    if conversation is None:
        conversation = Conversation.objects.create(assistant=assistant, user=user)
    question = conversation.messages.create(side=Message.Side.ASKED, text=check_question(text))
    check_room(assistant, lambda: [dialogue(question, side) for side in SIDES], MOST_TOKENS)
    return question


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


class Line(NamedTuple):
    provider: Provider
    name: str
    deployment: Deployment | None = None


def line_to(assistant, side=Message.Side.TUNED) -> Line:
    """Whom to ask for one side, and by what name. That a deployment is asked is put down with it."""
    if side == Message.Side.BASE:
        return Line(assistant.deployment.provider, assistant.base.name)
    deployment = assistant.deployment.in_use
    if deployment is None:
        raise GivenUp(
            _("Its model has been taken down. Deploy it again on the page of its job."), "not_deployed"
        )
    deployment.note_use()
    return Line(deployment.provider, deployment.name, deployment)


async def stream(line, messages, **options):
    """Pieces of text as they come, then `Used`; a ProviderError where it fails."""
    used, told = None, []
    body = {"max_tokens": MOST_TOKENS, "temperature": 0, **options}
    try:
        async for chunk in client.stream(line.provider, model=line.name, messages=messages, **body):
            if chunk.usage:
                used = Used.by(chunk.usage)
            if chunk.choices and chunk.choices[0].delta.content:
                told.append(chunk.choices[0].delta.content)
                yield told[-1]
    except GivenUp as error:
        raise unless_early(error, line.deployment) from error
    yield used or Used(count_messages(messages), count("".join(told)))


async def answer(question, side, reader):
    """The stream of one side's answer. What came of it is kept, though the reader leaves early."""
    bill, line, messages = await sync_to_async(begin)(question, side)
    begun = monotonic()
    try:
        async with aclosing(bill.over(watched(stream(line, messages), reader))) as pieces:
            async for piece in pieces:
                if not isinstance(piece, Used):
                    yield piece
    finally:
        if bill.told:
            await sync_to_async(keep)(question, side, bill, int((monotonic() - begun) * 1000))


def begin(question, side):
    """(bill, line, messages); the money of the answer is held from here on."""
    assistant, messages = question.conversation.assistant, dialogue(question, side)
    line = line_to(assistant, side)
    try:
        bill = Bill(assistant, messages, MOST_TOKENS, question.conversation.user)
    except OverBudget as refusal:
        raise Unpaid(str(refusal), "budget_exceeded") from refusal
    return bill, line, messages


def keep(question, side, bill, milliseconds):
    used, text = bill.spent(), bill.text.replace("\x00", "")
    if text:
        question.conversation.messages.create(
            side=side, text=text, prompt_tokens=used.asked, answer_tokens=used.told,
            milliseconds=milliseconds, cost=bill.cost,
        )  # fmt: skip


def problem_of(error: ProviderError) -> str:
    return (
        error.text if isinstance(error, Revoked | Unpaid) else _("The model did not answer: %s") % error.text
    )
