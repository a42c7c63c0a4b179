"""Take typed values from JSON bodies and query strings; a wrong one is a 400 that names it."""

import json

from engine.errors import ApiError, invalid

MAX_BODY = 16 * 2**20


async def read_json(request):
    """The request's body as a dict, read no further than MAX_BODY."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ApiError(413, f"The request body is larger than {MAX_BODY // 2**20} MB.")
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid(None, "We could not parse the JSON body of your request.") from error
    if not isinstance(value, dict):
        raise invalid(None, "The request body must be a JSON object.")
    return value


def text(body, name, default=None, *, at_most=None):
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _wrong_type(name, "a string", value)
    if at_most and not 1 <= len(value) <= at_most:
        raise invalid(name, f"'{name}' must have 1 to {at_most} characters.")
    return value


def required_text(body, name):
    value = text(body, name)
    if not value:
        raise invalid(name, f"you must provide a {name} parameter", "missing_required_parameter")
    return value


def integer(body, name, default=None, *, low, high):
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(name, "an integer", value)
    return _within(name, value, low, high)


def number(body, name, default=None, *, low, high):
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, "a number", value)
    return float(_within(name, value, low, high))


def boolean(body, name, default=False):
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong_type(name, "a boolean", value)
    return default if value is None else value


def mapping(body, name):
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise _wrong_type(name, "an object", value)
    return value


def query_integer(request, name, default, *, low, high):
    try:
        value = int(request.query_params.get(name, default))
    except ValueError as error:
        raise invalid(name, f"'{name}' must be an integer.") from error
    return _within(name, value, low, high)


def _within(name, value, low, high):
    if not low <= value <= high:
        raise invalid(name, f"'{name}' must be between {low} and {high}.", "invalid_value")
    return value


def _wrong_type(name, expected, value):
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    kind = kinds.get(type(value), "a number")
    return invalid(name, f"Invalid type for '{name}': expected {expected}, but got {kind}.", "invalid_type")
