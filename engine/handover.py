"""The vLLM that serves a base: chats are passed on to it, after the adapter that they ask for was loaded there.

Its API: https://docs.vllm.ai/en/latest/features/lora/ (dynamic adapters), and OpenAI's for the rest.
"""

import asyncio
import logging
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2

from engine.errors import ApiError, unavailable

logger = logging.getLogger(__name__)

CHATS, LOAD, UNLOAD = "/v1/chat/completions", "/v1/load_lora_adapter", "/v1/unload_lora_adapter"
CONNECT = 5  # seconds
IDLE = 0.5  # seconds between looks at whether a deleted model still answers
# vLLM's words, which come with the status 400 or 500.
LOADED_ALREADY, NO_ROOM = "has already been loaded", "slot"
ERROR, DONE = 'data: {"error"', "data: [DONE]"


class BrokenOff(Exception):
    """A stream that vLLM did not finish."""


class Handover:
    """Raises ApiError: 400 for a chat that vLLM refuses, else 503. Neither address nor key is in its words."""

    def __init__(self, base, address, *, key, home, their_home, timeout):
        self.base, self._home, self._their_home = base, home, their_home
        self._client = httpx2.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(timeout, connect=CONNECT, pool=None),
            limits=httpx2.Limits(max_connections=None),
            trust_env=False,
        )
        self._used = {}
        self._chats = Counter()
        self.well = True

    @property
    def writing(self):
        return self._chats.total()

    async def whole(self, body, adapter):
        """The answer to a chat; `adapter` is its folder in the engine's home, or None."""
        async with self._answer(body, adapter) as answer:
            await answer.aread()
            return answer.json()

    async def events(self, body, adapter):
        """The answer's events as they come; a chat that is refused raises before the first."""
        async with self._answer(body, adapter) as answer:
            async for line in answer.aiter_lines():
                if line.startswith(ERROR):
                    raise BrokenOff(line)
                if line:
                    yield f"{line}\n\n"
                if line == DONE:
                    return
            raise BrokenOff("no more comes")

    async def forget(self, name):
        """Unload a deleted model, once its last chat has ended."""
        while self._chats[name]:
            await asyncio.sleep(IDLE)
        self._used.pop(name, None)
        with suppress(httpx2.HTTPError):
            await self._unload(name)

    async def close(self):
        await self._client.aclose()

    @asynccontextmanager
    async def _answer(self, body, adapter):
        """vLLM's answer while it is open; who leaves closes it, which ends the writing there."""
        name, answer = body["model"], None
        self._chats[name] += 1
        try:
            answer = await self._ask(name, body, adapter)
            yield answer
            self.well = True
        except (httpx2.HTTPError, BrokenOff, ValueError, KeyError) as error:
            raise self._failed(f"{type(error).__name__}: {error}") from error
        finally:
            self._chats[name] -= 1
            if answer:
                await answer.aclose()

    async def _ask(self, name, body, adapter):
        known = name in self._used
        if adapter:
            await self._load(name, adapter)
        answer = await self._send(CHATS, body)
        if answer.status_code == 404 and known:
            # It was started anew, and has forgotten what it had loaded.
            del self._used[name]
            await self._load(name, adapter)
            answer = await self._send(CHATS, body)
        if answer.is_success:
            return answer
        said = await _text(answer)
        if answer.status_code == 400:
            raise ApiError(400, _message(answer) or "The chat was refused by the model's server.")
        hint = (
            "start vLLM with --served-model-name, the model's name here" if answer.status_code == 404 else ""
        )
        raise self._failed(said, answer.status_code, hint)

    async def _load(self, name, adapter):
        """Load it unless it is there; the longest unused goes when there is no room."""
        while name not in self._used:
            folder = self._their_home / Path(adapter).relative_to(self._home)
            answer = await self._send(LOAD, {"lora_name": name, "lora_path": str(folder)})
            said = await _text(answer)
            if answer.is_success or LOADED_ALREADY in said:
                break
            if NO_ROOM not in said or not await self._make_room():
                raise self._failed(said, answer.status_code, _why_not_loaded(answer, said))
        self._used[name] = time.monotonic()

    async def _make_room(self):
        """Unload the longest unused of this base's adapters; False where each of them is answering."""
        answer = await self._client.get("/v1/models")
        loaded = [model["id"] for model in answer.raise_for_status().json()["data"]]
        idle = [name for name in loaded if self._is_tuned(name) and not self._chats[name]]
        if not idle:
            return False
        longest_unused = min(idle, key=lambda name: self._used.get(name, 0))
        self._used.pop(longest_unused, None)
        return await self._unload(longest_unused)

    def _is_tuned(self, name):
        return name.startswith(f"ft:{self.base}:")

    async def _unload(self, name):
        answer = await self._send(UNLOAD, {"lora_name": name})
        await answer.aclose()
        return answer.is_success

    async def _send(self, path, body):
        return await self._client.send(self._client.build_request("POST", path, json=body), stream=True)

    def _failed(self, said, status=None, hint=""):
        self.well = False
        logger.warning("vLLM for %s failed (%s): %s", self.base, status or "no answer", said[:500])
        if status in (401, 403):
            hint = "set ENGINE_SERVING_KEY to the key that vLLM was started with"
        hint = hint or "look whether vLLM runs and what its log says"
        return unavailable(
            f"The server of '{self.base}' could not answer. Try again later; if it lasts: {hint}."
        )


async def _text(answer):
    try:
        await answer.aread()
        return answer.text
    finally:
        await answer.aclose()


def _message(answer):
    """What an error in OpenAI's shape says."""
    try:
        return answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return None


def _why_not_loaded(answer, said):
    if NO_ROOM in said:
        return "let vLLM hold more adapters at once (--max-loras)"
    if answer.status_code == 404 and not _message(answer):
        return "start vLLM with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora"
    return "look whether vLLM can read the engine's folder (ENGINE_SERVING_HOME), and what its log says"
