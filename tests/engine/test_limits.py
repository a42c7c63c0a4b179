"""How often a key may ask, whose job is next, and what the page and /metrics show."""

import base64
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from engine.jobs import Jobs
from engine.store import Store
from tests.engine.talk import Client
from tests.engine_process import EngineProcess


def read(engine, path, scheme="Bearer", secret=None):
    request = urllib.request.Request(f"http://127.0.0.1:{engine.port}{path}")
    secret = secret or engine.key
    if scheme == "Basic":
        secret = base64.b64encode(f"me:{secret}".encode()).decode()
    request.add_header("Authorization", f"{scheme} {secret}")
    return urllib.request.urlopen(request)


def test_a_key_that_asks_too_often_is_told_when_to_come_back(tmp_path):
    keys = {"ENGINE_KEYS": "sk-test-engine,sk-other", "ENGINE_REQUESTS_PER_MINUTE": "3"}
    with EngineProcess(tmp_path, **keys) as engine:
        client = Client.of(engine)
        for _ in range(3):
            client.models.list()
        with pytest.raises(openai.RateLimitError) as caught:
            client.models.list()
        assert caught.value.code == "rate_limit_exceeded"
        assert 0 < int(caught.value.response.headers["Retry-After"]) <= 60
        assert client.with_options(api_key="sk-other").models.list().data


def test_jobs_of_different_keys_take_turns(tmp_path):
    jobs = Jobs(Store(tmp_path / "engine.sqlite3"), None, tmp_path)
    for number in range(1000):
        jobs.store.insert("jobs", "ftjob-", status="queued", owner="many", suffix=str(number))
    jobs.store.insert("jobs", "ftjob-", status="queued", owner="one", suffix="only")
    order = []
    for _ in range(4):
        job = jobs.oldest("queued")
        order.append(job["suffix"])
        jobs.start(job, 0)
        jobs.store.update("jobs", job["id"], status="succeeded")
    assert order == ["0", "only", "1", "2"]


def test_a_thousand_jobs_wait_and_one_more_is_refused(tmp_path, training):
    with (
        EngineProcess(tmp_path, ENGINE_KEYS="sk-test-engine,sk-other") as engine,
        ThreadPoolExecutor(4) as pool,
    ):
        client = Client.of(engine)
        file, endless = client.upload(training), client.upload(training * 50)

        def create(n):
            return client.fine_tuning.jobs.create(model="tiny", training_file=endless if n == 0 else file)

        client.ask()
        ids, longest = {create(0).id}, 0
        for job in pool.map(create, range(1, 1000)):
            if len(ids) % 50 == 0:
                began = time.monotonic()
                client.ask(max_tokens=1)
                longest = max(longest, time.monotonic() - began)
            ids.add(job.id)
        assert longest < 4
        with pytest.raises(openai.RateLimitError, match="has 1000 jobs that have not ended") as caught:
            create(1000)
        assert caught.value.code == "rate_limit_exceeded"
        other = client.with_options(api_key="sk-other").fine_tuning.jobs.create(
            model="tiny", training_file=file
        )

        listed = [job.id for job in client.fine_tuning.jobs.list(limit=100)]
        assert len(listed) == 1001 and {*listed} == ids | {other.id}
        ended = pool.map(client.fine_tuning.jobs.cancel, listed)
        assert {job.status for job in ended} == {"cancelled"}
        assert create(1001).status == "validating_files"


def test_the_page_shows_models_and_curves(engine, client, training, validation):
    options = {"validation_file": client.upload(validation), "hyperparameters": {"n_epochs": 1}}
    tuned = client.wait(client.start(training, seed=99, **options))
    with read(engine, "/", "Basic") as answer:
        html, headers = answer.read().decode(), answer.headers
    assert tuned.fine_tuned_model in html and tuned.id in html
    assert "training loss <b>" in html and "validation loss <b>" in html and "step 3 of 3" in html
    assert all(f">{words}</text>" in html for words in ("0", "1", "2", "3", "step"))
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in html


@pytest.mark.parametrize(("path", "scheme"), [("/", "Basic"), ("/", "Bearer"), ("/metrics", "Bearer")])
def test_page_and_metrics_need_the_key(engine, path, scheme):
    with pytest.raises(urllib.error.HTTPError) as caught:
        read(engine, path, scheme, "wrong")
    assert caught.value.code == 401


def test_the_basic_scheme_opens_the_page_only(engine):
    with pytest.raises(urllib.error.HTTPError) as caught:
        read(engine, "/v1/models", "Basic")
    assert caught.value.code == 401


def test_metrics_count_jobs_tokens_and_answers(engine, client, tuned):
    client.ask(max_tokens=3)
    with read(engine, "/metrics") as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    assert int(lines['engine_jobs{status="succeeded"}']) >= 1
    assert int(lines["engine_completion_tokens_total"]) >= 3
    assert int(lines["engine_memory_bytes"]) > 10**8
    assert lines['engine_request_seconds_bucket{le="+Inf"}'] == lines["engine_request_seconds_count"]
