"""The sweep of evaluations: each turn gets some answers in, scores them, and lets go."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.utils import timezone

from common.states import IllegalMove
from common.tokens import count, text_of
from evaluation.models import LONGER_THAN_REFERENCE, Answer, Evaluation
from evaluation.scoring import scores
from evaluation.states import RUNNING
from finetuning.deploying import unless_early
from providers import client
from providers.errors import GivenUp, ProviderError, TryAgain, Unclear
from providers.pricing import answer_cost

log = structlog.get_logger()
AT_ONCE = 4
TURN_SECONDS = 20
PATIENCE = 60


def sweep() -> int:
    now = timezone.now()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    claimed = [
        row
        for row in Evaluation.objects.due(now).filter(state=RUNNING)[:10]
        if Evaluation.objects.claim(row.pk, now, until)
    ]
    for evaluation in claimed:
        advance(evaluation)
    return len(claimed)


def advance(evaluation):
    """Answers for TURN_SECONDS; whatever goes wrong stays with this evaluation and is tried again later."""
    try:
        changes = _take_turn(evaluation)
    except IllegalMove:
        changes = {}
    except Exception as error:
        log.exception("an evaluation's turn crashed", evaluation=evaluation.pk)
        changes = _later(evaluation, type(error).__name__)
    evaluation.refresh_from_db(fields=["state"])
    if evaluation.state != RUNNING:
        changes = {}
    Evaluation.objects.release(evaluation.pk, **changes)


def _take_turn(evaluation):
    try:
        _answer_some(evaluation)
    except (TryAgain, Unclear) as error:
        return _later(evaluation, error.text)
    except GivenUp as error:
        evaluation.fail(error.text)
    return {"attempts": 0, "problem": "", "next_poll_at": timezone.now()}


def _later(evaluation, problem):
    pause = timedelta(seconds=min(60, 2 ** min(evaluation.attempts, 6)))
    return {
        "attempts": evaluation.attempts + 1,
        "problem": problem,
        "next_poll_at": timezone.now() + pause if evaluation.attempts < PATIENCE else None,
    }


def _answer_some(evaluation):
    ends = monotonic() + TURN_SECONDS
    while monotonic() < ends:
        some = list(
            evaluation.pending().select_related("arm__provider", "arm__model", "arm__deployment", "example")[
                :AT_ONCE
            ]
        )
        if not some:
            evaluation.finish()
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = list(pool.map(_ask, some))
        errors = [reply for reply in told if isinstance(reply, ProviderError)]
        for answer, reply in zip(some, told, strict=True):
            if reply not in errors:
                _keep(answer, *reply)
        if errors:
            raise errors[0]
        evaluation.refresh_from_db(fields=["state"])
        if evaluation.state != RUNNING:
            return


def _ask(answer):
    """(completion, milliseconds), or the provider's error: the other answers of the turn are still kept."""
    begun = monotonic()
    most = max(48, count(answer.example.answer) * LONGER_THAN_REFERENCE)
    try:
        reply = client.complete(
            answer.arm.provider, answer.arm.name, answer.example.prompt, temperature=0, max_tokens=most
        )
    except ProviderError as error:
        return unless_early(error, answer.arm.deployment)
    return reply, int((monotonic() - begun) * 1000)


def _keep(answer, reply, milliseconds):
    """An answer is written once; a second worker that was slower changes nothing."""
    text = text_of(reply.choices[0].message.model_dump()) if reply.choices else ""
    asked = reply.usage.prompt_tokens if reply.usage else answer.example.tokens
    told = reply.usage.completion_tokens if reply.usage else count(text)
    Answer.objects.filter(pk=answer.pk, answered=None).update(
        text=text.replace("\x00", ""),
        tokens=asked + told,
        milliseconds=milliseconds,
        cost=answer_cost(answer.arm.model, asked, told),
        scores=scores(text, answer.example.answer),
        answered=timezone.now(),
    )
