"""/v1/embeddings"""

import asyncio
import base64
import struct

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from engine.api import fields
from engine.api.chat import unless_gone
from engine.api.models import find_tuned
from engine.embedding import Embedding
from engine.errors import invalid, server_error

MAX_INPUTS = 2048
FORMATS = ("float", "base64")


async def create(request):
    body = await fields.read_json(request)
    if body.get("dimensions") is not None:
        message = "Unsupported parameter: 'dimensions' is not supported by this server."
        raise invalid("dimensions", message, "unsupported_parameter")
    form = fields.text(body, "encoding_format", "float")
    if form not in FORMATS:
        raise invalid("encoding_format", f"'encoding_format' must be one of {FORMATS}.", "invalid_value")
    name, state = fields.required_text(body, "model"), request.app.state
    base = await run_in_threadpool(_find_base, state, name)
    inputs = await run_in_threadpool(_token_ids, state.server.encoder, base, _inputs(body.get("input")))
    return await unless_gone(request, _answer(state.server, base, inputs, form))


async def _answer(server, base, inputs, form):
    # One after the other: a long list leaves chats their turn between any two of its texts.
    vectors = [await _embed(server, base, ids) for ids in inputs]
    tokens = sum(map(len, inputs))
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if form == "base64" else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": base.name, "usage": usage})


async def _embed(server, base, ids):
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()
    embedding = Embedding(base, ids, lambda found: loop.call_soon_threadsafe(queue.put_nowait, found))
    server.submit([embedding])
    try:
        found = await queue.get()
    finally:
        embedding.cancelled = True
    if isinstance(found, Exception):
        raise server_error("The model could not read the input.") from found
    return found


def _find_base(state, name):
    if name in state.bases:
        return state.bases[name]
    base = find_tuned(state, name)["base"]
    raise invalid("model", f"'{name}' is a tuned model: embeddings come from its base, '{base}'.")


def _inputs(given):
    """A list of strings and lists of token ids, none of them empty."""
    one = isinstance(given, str) or (isinstance(given, list) and any(isinstance(id, int) for id in given))
    inputs = [given] if one else given
    if not isinstance(inputs, list) or not all(_is_text(text) or _is_ids(text) for text in inputs):
        message = "'input' must be a string, a list of strings, or token ids; none may be empty."
        raise invalid("input", message, "invalid_type")
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise invalid("input", f"'input' must have 1 to {MAX_INPUTS} texts.", "invalid_value")
    return inputs


def _is_text(value):
    return isinstance(value, str) and value != ""


def _is_ids(value):
    return isinstance(value, list) and value != [] and all(type(id) is int for id in value)


def _token_ids(encoder_of, base, inputs):
    encoder, context = encoder_of(base), base.card()["context_window"]
    encoded = [encoder.ids(text) if isinstance(text, str) else text for text in inputs]
    for ids in encoded:
        if not all(0 <= id < len(encoder.tokenizer) for id in ids):
            raise invalid("input", "'input' has a number that is no token of this model.", "invalid_value")
        if not 1 <= len(ids) <= context:
            message = f"This model reads 1 to {context} tokens; an input has {len(ids)}."
            raise invalid("input", message, "context_length_exceeded")
    return encoded


def _packed(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
