"""Starting, keys, models, and addresses that do not exist."""

import os
import subprocess
import sys
import urllib.request

import openai
import pytest

from tests.engine_process import ROOT, free_port


def run_engine(engine, *arguments, **environment):
    """`python -m engine` that is expected to end by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ENGINE_")}
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_health_needs_no_key(engine):
    with urllib.request.urlopen(f"http://127.0.0.1:{engine.port}/healthz") as answer:
        assert answer.read() == b'{"status":"ok"}'


@pytest.mark.parametrize("key", ["wrong", "", "sk-test-engin", "sk-test-engine2", "ключ"])
def test_a_wrong_key_is_refused_and_not_repeated(engine, key):
    request = urllib.request.Request(f"{engine.base_url}/models")
    request.add_header("Authorization", f"Bearer {key}".encode().decode("latin-1"))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    body = caught.value.read().decode()
    assert caught.value.code == 401
    assert "invalid_api_key" in body and (not key or f'"{key}"' not in body)


def test_the_client_reads_a_refusal_as_one_of_openai(engine):
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=engine.base_url, api_key="wrong", max_retries=0).models.list()


@pytest.mark.parametrize(("method", "path", "status"), [("get", "/nothing", 404), ("put", "/models", 405)])
def test_an_unknown_address_answers_as_openai_does(client, method, path, status):
    with pytest.raises(openai.APIStatusError, match="Invalid URL") as caught:
        getattr(client, method)(path, cast_to=object)
    assert caught.value.status_code == status


def test_without_keys_it_refuses_to_start(engine):
    done = run_engine(engine)
    assert done.returncode == 1 and "ENGINE_KEYS" in done.stderr


def test_without_keys_it_stays_on_loopback(engine):
    done = run_engine(engine, "--no-key", "--host", "0.0.0.0")
    assert done.returncode == 1 and "ENGINE_KEYS" in done.stderr


def test_a_taken_port_is_named(engine):
    done = run_engine(engine, "--no-key", "--port", str(engine.port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{engine.port}: Address already in use" in done.stderr


def test_a_folder_serves_one_engine_only(engine):
    done = run_engine(engine, "--no-key", "--port", str(free_port()), "--home", str(engine.home))
    assert done.returncode == 1 and "in use by another engine" in done.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("m=/nowhere", "neither a folder"),
        ("m=wheel:no-such-package", "not installed"),
        ("m=/nowhere/model.gguf", "no such file"),
        ("m=.", "config.json"),
        ("tiny", "NAME=SOURCE"),
        ("ft:x=a/b", "NAME=SOURCE"),
    ],
)
def test_a_model_that_cannot_be_used_is_a_refusal_to_start(engine, tmp_path, source, reason):
    done = run_engine(
        engine, "--no-key", "--port", str(free_port()), "--home", str(tmp_path), "--model", source
    )
    assert done.returncode == 1 and reason in done.stderr
