"""The tools of `POST /v1/chat/completions`, checked."""

import re

from engine.api import fields
from engine.errors import invalid
from engine.grammar import check_schema

MAX_TOOLS = 128
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CHOICES = ("none", "auto", "required")


def parse(body):
    """The three fields of a ChatRequest; without tools they are empty."""
    tools = _tools(body.get("tools"))
    if not tools:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                raise invalid(name, f"'{name}' is only allowed when 'tools' are specified.", "invalid_value")
        return {"tools": [], "tool_choice": None, "parallel_tool_calls": None}
    return {
        "tools": tools,
        "tool_choice": _choice(body.get("tool_choice"), [tool["function"]["name"] for tool in tools]),
        "parallel_tool_calls": fields.boolean(body, "parallel_tool_calls", True),
    }


def check_parameters(function, param):
    """Raise ApiError unless calls of the function can be held to its parameters."""
    try:
        check_schema(function.get("parameters") or {})
    except ValueError as error:
        message = f"Invalid schema for function '{function['name']}': {error}."
        raise invalid(f"{param}.parameters", message, "invalid_function_parameters") from error


def check_named(value, param):
    """What functions and the schemas of replies have in common."""
    if not isinstance(value, dict):
        raise wrong(param, "an object")
    if not isinstance(value.get("name"), str):
        raise wrong(f"{param}.name", "a string")
    if not NAME.fullmatch(value["name"]):
        raise wrong(f"{param}.name", "1 to 64 Latin letters, digits, '_' and '-'", "invalid_value")
    if not isinstance(value.get("description"), str | None):
        raise wrong(f"{param}.description", "a string")
    if not isinstance(value.get("strict"), bool | None):
        raise wrong(f"{param}.strict", "a boolean")


def wrong(param, expected, code="invalid_type"):
    return invalid(param, f"Invalid '{param}': expected {expected}.", code)


def _tools(tools):
    if tools is None:
        return []
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise wrong("tools", f"a list of at most {MAX_TOOLS} tools")
    names = set()
    for number, tool in enumerate(tools):
        _check_tool(tool, f"tools[{number}]")
        if tool["function"]["name"] in names:
            raise wrong(f"tools[{number}].function.name", "a name that no other tool has", "invalid_value")
        names.add(tool["function"]["name"])
    return tools


def _check_tool(tool, param):
    if not isinstance(tool, dict):
        raise wrong(param, "an object")
    if tool.get("type") != "function":
        raise wrong(f"{param}.type", "'function'", "invalid_value")
    function, param = tool.get("function"), f"{param}.function"
    check_named(function, param)
    parameters = function.get("parameters")
    if not isinstance(parameters, dict | None):
        raise wrong(f"{param}.parameters", "an object")
    if parameters and parameters.get("type") != "object":
        expected = "a JSON schema of the type 'object'"
        raise wrong(f"{param}.parameters", expected, "invalid_function_parameters")


def _choice(choice, names):
    if choice is None:
        return "auto"
    if isinstance(choice, str):
        if choice not in CHOICES:
            raise wrong("tool_choice", f"one of {', '.join(CHOICES)}, or a function", "invalid_value")
        return choice
    if not isinstance(choice, dict):
        raise wrong("tool_choice", "a string or an object")
    if choice.get("type") != "function":
        raise wrong("tool_choice.type", "'function'", "invalid_value")
    function = choice.get("function")
    if not isinstance(function, dict) or function.get("name") not in names:
        raise wrong("tool_choice.function.name", "the name of one of the 'tools'", "invalid_value")
    return choice
