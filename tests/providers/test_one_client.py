"""There is one way out of the product, and every call goes by it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = [
    "accounts",
    "assistants",
    "common",
    "config",
    "courses",
    "datasets",
    "evaluation",
    "finetuning",
    "providers",
]
CLIENTS = {
    "httpx", "httpx2", "httpcore", "httpcore2", "openai", "requests", "urllib.request", "urllib3", "aiohttp", "ftplib",
    "telnetlib", "pycurl", "websockets", "paramiko",
}  # fmt: skip
ALLOWED = {
    "providers/addresses.py": {"httpx2"},  # its reading of addresses, so that both read the same
    "providers/client.py": {"httpx2", "openai"},
    "providers/connecting.py": {"httpx2", "httpcore2"},
    "providers/errors.py": {"openai"},
}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.mark.parametrize("app", APPS)
def test_only_providers_knows_how_to_call_out(app):
    files = [file for file in (ROOT / app).rglob("*.py") if "__pycache__" not in file.parts]
    assert files
    for file in files:
        found = {
            name for each in imported(file) for name in CLIENTS if each == name or each.startswith(f"{name}.")
        }
        assert found <= ALLOWED.get(str(file.relative_to(ROOT)), set()), file
