"""The folder `engine/` by itself, as its README says; and an engine without keys."""

import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.engine_process import ROOT, EngineProcess


class Alone(EngineProcess):
    """Run from a folder that holds nothing but a copy of `engine/`."""

    def __init__(self, folder, **environment):
        super().__init__(folder, **environment)
        self.root = folder / "alone"
        shutil.copytree(ROOT / "engine", self.root / "engine", ignore=shutil.ignore_patterns("__pycache__"))


def test_the_five_lines_of_the_readme_tune_a_model_and_question_it(engine, tmp_path, training):
    models = f"smollm2-135m-instruct={engine.tiny}"
    with Alone(tmp_path, ENGINE_MODELS=models, ENGINE_KEYS="sk-mine") as alone:
        readme = (alone.root / "engine" / "README.md").read_text()
        [program] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        (alone.root / "train.jsonl").write_bytes(training)
        done = subprocess.run(
            [sys.executable, "-c", program.replace("8010", str(alone.port))],
            cwd=alone.root,
            env={name: value for name, value in os.environ.items() if not name.startswith("ENGINE_")},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


class Keyless(EngineProcess):
    arguments = ("--no-key",)


@pytest.fixture(scope="module")
def keyless(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyless")
    with Keyless(folder, ENGINE_KEYS="", ENGINE_MODELS=f"tiny={engine.tiny}") as keyless:
        yield keyless


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8010", "Origin": "http://localhost:8000"}, 200),
        ({"Host": "[::1]:8010"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_without_keys_foreign_web_pages_are_refused(keyless, headers, status):
    request = urllib.request.Request(f"{keyless.base_url}/models", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            found = answer.status
    except urllib.error.HTTPError as error:
        found = error.code
        assert b"Without keys only programs on this machine" in error.read()
    assert found == status
