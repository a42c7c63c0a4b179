"""A public installation starts with secrets of its own, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).parents[2]
RANDOM = "Zk3vQ9sX7pLw2RtY8uHf5GdJ1mNbVc4A0eKiOqTy6WxSrPzBnDlMgFhCjUaEoI"


def start(tmp_path, **more):
    environment = {
        "PATH": os.environ["PATH"], "COURSETUNE_HOME": str(tmp_path), "PUBLIC": "true",
        "ALLOWED_HOSTS": "coursetune.example", "SECRET_KEY": RANDOM, "FIELD_KEYS": Fernet.generate_key().decode(),
    } | more  # fmt: skip
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_with_all_it_needs_it_starts_without_a_warning(tmp_path):
    done = start(tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", None, "must be set"),
        ("SECRET_KEY", "", "must be set"),
        ("SECRET_KEY", RANDOM[:31], "shorter than 32"),
        ("SECRET_KEY", "django-insecure-" + RANDOM, "looks like an example"),
        ("SECRET_KEY", "change-me-" + RANDOM, "looks like an example"),
        ("SECRET_KEY", "x" * 64, "looks like an example"),
        ("FIELD_KEYS", None, "must be set"),
        ("FIELD_KEYS", "not a key " * 5, "FIELD_KEYS"),
        ("ALLOWED_HOSTS", "*", "must name the hosts"),
    ],
)
def test_without_it_does_not_start_and_names_the_setting(tmp_path, name, value, said):
    done = start(tmp_path, **{name: value})
    assert done.returncode != 0
    told = done.stderr.strip().splitlines()[-1]
    assert name in told and said in told
    assert RANDOM not in done.stderr
