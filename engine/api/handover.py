"""Chats of a base that vLLM serves: what is sent there, and how its answer goes out."""

import json
from contextlib import aclosing

from starlette.responses import JSONResponse, StreamingResponse

from engine.errors import ApiError

SAME = (
    "model", "messages", "temperature", "top_p", "stop", "seed", "n", "frequency_penalty", "presence_penalty",
    "logit_bias", "top_logprobs", "stream", "tools", "tool_choice", "parallel_tool_calls", "response_format",
)  # fmt: skip


async def answer(vllm, wanted, adapter):
    """The response to a checked chat; raises ApiError before it has begun."""
    body = _body(wanted)
    if not wanted.stream:
        return JSONResponse(await vllm.whole(body, adapter))
    events = vllm.events(body, adapter)
    first = await anext(events)
    return StreamingResponse(_stream(first, events), media_type="text/event-stream")


async def _stream(first, events):
    async with aclosing(events):
        try:
            yield first
            async for event in events:
                yield event
        except ApiError as error:
            yield f"data: {json.dumps(error.body)}\n\n"


def _body(wanted):
    """Every default is written out: those of vLLM are its model's."""
    body = {name: getattr(wanted, name) for name in SAME}
    body["max_completion_tokens"] = wanted.max_tokens
    body["logprobs"] = wanted.top_logprobs is not None
    if wanted.stream and wanted.include_usage:
        body["stream_options"] = {"include_usage": True}
    return {name: value for name, value in body.items() if value not in (None, [], {})}
