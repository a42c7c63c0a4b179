"""docs/api.md says what is so: its blocks run as they stand, and its table names every address."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.postman import operations
from tests.docs.live import PASSWORD, ROOT, product

TEXT = (ROOT / "docs" / "api.md").read_text()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with product(tmp_path_factory.mktemp("product")) as address:
        yield address


def test_the_blocks_run_one_after_the_other_as_they_stand(base):
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    script = "\n".join(["set -euo pipefail", *blocks])
    surroundings = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BASE": base,
        "EMAIL": "instructor@example.com",
        "PASSWORD": PASSWORD,
        "BASE_MODEL": "tiny",
    }
    done = subprocess.run(
        ["bash"], input=script, text=True, capture_output=True, cwd=ROOT, env=surroundings, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    frozen, downloaded = re.findall(r"^[0-9a-f]{64}", done.stdout, re.MULTILINE)[:2]
    assert frozen == downloaded
    assert "\nsucceeded\n" in done.stdout
    assert "data: [DONE]" in done.stdout


def test_the_table_names_every_address_and_method_and_no_other():
    methods = ("GET", "POST", "PATCH", "PUT", "DELETE")
    rows = re.findall(r"^\| `(/api/\S+)` \|(.*)\|$", TEXT, re.MULTILINE)
    told = {
        f"{method} {path}"
        for path, cells in rows
        for method, cell in zip(methods, cells.split("|"), strict=True)
        if cell.strip()
    }
    assert told == set(operations())
