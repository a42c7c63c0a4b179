"""/v1/chat/completions"""

import asyncio
import json
import time
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from engine.api import chat_request, fields, handover
from engine.api.models import find_tuned
from engine.errors import ApiError, invalid, server_error
from engine.grammar import Guide
from engine.replies import Piece, Reply
from engine.store import new_id

LISTEN = 0.5  # seconds between looks at whether the client is still there
CLIENT_GONE = 499


async def create(request):
    wanted = chat_request.parse(await fields.read_json(request))
    answer = await run_in_threadpool(_prepare, request.app.state, wanted, asyncio.get_running_loop())
    first = answer.replies[0]
    if vllm := request.app.state.handovers.get(first.base.name):
        return await unless_gone(request, handover.answer(vllm, first.settings, first.adapter))
    request.app.state.server.submit(answer.replies)
    if wanted.stream:
        return StreamingResponse(_events(answer, wanted), media_type="text/event-stream")
    return await unless_gone(request, _whole(answer))


class Answer:
    """The replies to one request, and the pieces of text that arrive from the writing thread."""

    def __init__(self, model, loop):
        self.id, self.created, self.model = new_id("chatcmpl-"), int(time.time()), model
        self.loop, self.queue, self.replies = loop, asyncio.Queue(), []

    def emit(self, piece):
        self.loop.call_soon_threadsafe(self.queue.put_nowait, piece)

    async def pieces(self):
        """Until all replies have finished; whoever stops listening stops the writing."""
        unfinished = len(self.replies)
        try:
            while unfinished:
                piece = await self.queue.get()
                if isinstance(piece, Exception):
                    raise server_error("The model could not answer.") from piece
                yield piece
                unfinished -= piece.finish is not None
        finally:
            for reply in self.replies:
                reply.cancelled = True

    def usage(self):
        prompt, reply = len(self.replies[0].prompt), sum(len(reply.ids) for reply in self.replies)
        return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}

    def shown(self, kind, choices, **more):
        body = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**body, "choices": choices, **more}


def _prepare(state, wanted, loop):
    base, adapter = _find_model(state, wanted.model)
    encoder = state.server.encoder(base)
    if wanted.functions and not encoder.knows_tools:
        message = f"Unsupported parameter: the chat template of '{wanted.model}' knows no tools."
        raise invalid("tools", message, "unsupported_parameter")
    try:
        prompt = encoder.prompt(wanted.messages, wanted.tools if wanted.functions else None)
    except ValueError as error:
        raise invalid("messages", f"Invalid 'messages': {error}.") from error
    if any(token >= len(encoder.tokenizer) for token in wanted.logit_bias):
        raise invalid("logit_bias", "A key of 'logit_bias' is no token of this model.", "invalid_value")
    wanted = _fit(wanted, len(prompt), base.card()["context_window"])
    answer, grammar = Answer(wanted.model, loop), wanted.grammar(encoder)
    for index in range(wanted.n):
        reply = Reply(
            base=base,
            adapter=adapter,
            prompt=prompt,
            index=index,
            settings=wanted,
            decode=encoder.decode,
            emit=answer.emit,
            guide=_guide(grammar, encoder),
        )
        answer.replies.append(reply)
    return answer


def _guide(grammar, encoder):
    """A reply's own Guide, or None where it is free."""
    try:
        return grammar and Guide(encoder.vocabulary, grammar)
    except ValueError as error:
        # Each schema was checked by itself.
        raise invalid(None, f"The schemas are too much together: {error}.", "invalid_value") from error


def _find_model(state, name):
    """(base, adapter folder or None); raises ApiError."""
    if name in state.bases:
        return state.bases[name], None
    row = find_tuned(state, name)
    return state.bases[row["base"]], str(state.home / row["folder"])


def _fit(wanted, prompt_tokens, context):
    """The request with no more reply than the context has room for."""
    room = context - prompt_tokens
    if room < 1:
        message = (
            f"This model's maximum context length is {context} tokens. "
            f"However, your messages resulted in {prompt_tokens} tokens."
        )
        raise invalid("messages", message, "context_length_exceeded")
    return replace(wanted, max_tokens=min(wanted.max_tokens, room))


async def unless_gone(request, work):
    """The result of `work`, which is given up when the client hangs up."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=LISTEN)
        if not task.done() and await request.is_disconnected():
            task.cancel()
            return Response(status_code=CLIENT_GONE)
    return task.result()


async def _whole(answer):
    wholes = [Piece(index, "") for index in range(len(answer.replies))]
    async for piece in answer.pieces():
        index, text, _, logprobs, calls = wholes[piece.index]
        wholes[index] = Piece(
            index, text + piece.text, piece.finish, logprobs + piece.logprobs, calls + piece.calls
        )
    choices = [_choice(whole, whole.finish, message=_message(whole)) for whole in wholes]
    return JSONResponse(answer.shown("chat.completion", choices, usage=answer.usage()))


async def _events(answer, wanted):
    usage = {"usage": None} if wanted.include_usage else {}
    chunk = lambda choices: _event(answer.shown("chat.completion.chunk", choices, **usage))  # noqa: E731
    opening = {"role": "assistant", "content": None if wanted.functions else ""}
    for index in range(wanted.n):
        yield chunk([_choice(Piece(index, ""), None, delta=opening)])
    try:
        async for piece in answer.pieces():
            if piece.text or piece.logprobs or piece.calls:
                yield chunk([_choice(piece, None, delta=_delta(piece))])
            if piece.finish:
                yield chunk([_choice(Piece(piece.index, ""), piece.finish, delta={})])
    except ApiError as error:
        yield _event(error.body)
        return
    if wanted.include_usage:
        yield _event(answer.shown("chat.completion.chunk", [], usage=answer.usage()))
    yield "data: [DONE]\n\n"


def _message(whole):
    content = whole.text or (None if whole.calls else "")
    message = {"role": "assistant", "content": content, "refusal": None}
    if whole.calls:
        message["tool_calls"] = [
            {key: call[key] for key in ("id", "type", "function")} for call in whole.calls
        ]
    return message


def _delta(piece):
    content = {"content": piece.text} if piece.text or not piece.calls else {}
    return content | ({"tool_calls": piece.calls} if piece.calls else {})


def _choice(piece, finish, **content):
    logprobs = {"content": piece.logprobs, "refusal": None} if piece.logprobs else None
    return {"index": piece.index, **content, "logprobs": logprobs, "finish_reason": finish}


def _event(body):
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
