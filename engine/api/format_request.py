"""The `response_format` of `POST /v1/chat/completions`, checked."""

from engine.api.tool_request import check_named, wrong
from engine.encoding import text_of
from engine.errors import invalid
from engine.grammar import check_schema

ANY_OBJECT = {"type": "object"}
TYPES = ("text", "json_object", "json_schema")


def parse(body, messages):
    """The field, or None where a reply is plain text."""
    form = body.get("response_format")
    if form is None:
        return None
    if not isinstance(form, dict):
        raise wrong("response_format", "an object")
    if form.get("type") not in TYPES:
        raise wrong("response_format.type", f"one of {', '.join(TYPES)}", "invalid_value")
    if form["type"] == "json_object":
        _check_mentioned(messages)
    if form["type"] == "json_schema":
        _check_described(form.get("json_schema"), "response_format.json_schema")
    return None if form["type"] == "text" else form


def schema_of(form):
    """The JSON schema that replies are held to."""
    return form["json_schema"]["schema"] if form["type"] == "json_schema" else ANY_OBJECT


def _check_mentioned(messages):
    if not any("json" in text_of(message.get("content")).lower() for message in messages):
        needed = "For a 'response_format' of the type 'json_object', some message must hold the word 'json'."
        raise invalid("messages", needed)


def _check_described(described, param):
    check_named(described, param)
    if not isinstance(described.get("schema"), dict):
        raise wrong(f"{param}.schema", "an object")
    try:
        check_schema(described["schema"])
    except ValueError as error:
        message = f"Invalid schema for response_format '{described['name']}': {error}."
        raise invalid(f"{param}.schema", message, "invalid_value") from error
