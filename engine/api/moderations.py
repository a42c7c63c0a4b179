"""/v1/moderations"""

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from engine.api import fields
from engine.errors import invalid, not_found
from engine.moderation import MODEL, RULES, screen
from engine.store import new_id

MAX_TEXTS = 2048
MAX_CHARACTERS = 200_000  # of all texts: a rule reads slowly what is made to be slow


async def create(request):
    body = await fields.read_json(request)
    wanted = fields.text(body, "model", MODEL)
    if wanted != MODEL:
        raise not_found(f"The model '{wanted}' does not exist.", "model", "model_not_found")
    texts = _texts(body.get("input"))
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise invalid(
            "input",
            f"'input' must have at most {MAX_CHARACTERS} characters in all.",
            "string_above_max_length",
        )
    results = await run_in_threadpool(lambda: [_shown(screen(text)) for text in texts])
    return JSONResponse({"id": new_id("modr-"), "model": MODEL, "results": results})


def _texts(given):
    """The texts to screen, each for a result of its own: the parts of one message are one text."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TEXTS:
        message = f"'input' must be a string or a list of 1 to {MAX_TEXTS} strings or text parts."
        raise invalid("input", message, "invalid_type")
    if all(isinstance(text, str) for text in texts):
        return texts
    return ["\n".join(map(_text_of, texts))]


def _text_of(part):
    if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise invalid("input", 'A part of \'input\' must be {"type": "text", "text": ...}.', "invalid_value")
    return part["text"]


def _shown(flagged):
    """A rule is met or not: scores are 1 and 0."""
    return {
        "flagged": bool(flagged),
        "categories": {category: category in flagged for category in RULES},
        "category_scores": {category: float(category in flagged) for category in RULES},
        "category_applied_input_types": {category: ["text"] for category in RULES},
    }
