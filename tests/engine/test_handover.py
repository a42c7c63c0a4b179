"""Chats of a base that vLLM serves. vLLM itself is an imitation here."""

import time

import openai
import pytest

from tests.engine.talk import Client
from tests.engine.test_limits import read
from tests.engine.test_server import run_engine
from tests.engine.vllm_server import WORDS, VllmServer
from tests.engine_process import EngineProcess

KEY = "sk-of-the-gpu-host"
LOAD, UNLOAD, CHATS = "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/chat/completions"


@pytest.fixture(scope="module")
def server():
    with VllmServer("tiny", KEY) as server:
        yield server


@pytest.fixture(scope="module")
def elsewhere(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = {
        "ENGINE_MODELS": f"tiny={folder / 'tiny'},gone={folder / 'tiny'}",
        "ENGINE_SERVING": f"tiny={server.address}/v1/,gone=http://127.0.0.1:9",
        "ENGINE_SERVING_KEY": KEY,
        "ENGINE_SERVING_HOME": "/gpu/home",
        "ENGINE_SERVING_TIMEOUT": "1",
    }
    with EngineProcess(folder, **settings) as engine:
        yield engine
        assert KEY not in engine.log.read_text()


@pytest.fixture(scope="module")
def passed(elsewhere):
    return Client.of(elsewhere)


@pytest.fixture(scope="module")
def job(passed, training):
    return passed.wait(passed.start(training, hyperparameters={"n_epochs": 3}))


@pytest.fixture
def vllm(server):
    server.quiet()
    yield server
    server.quiet()


def test_a_base_answers_there_by_our_parameters(vllm, passed):
    reply = passed.ask(text="Hello", max_tokens=None, logprobs=True, extra_body={"top_k": 3})
    assert (reply.model, reply.choices[0].message.content) == ("tiny", "tiny: Hello")
    [asked] = vllm.bodies(CHATS)
    assert asked == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0,
        "top_p": 1,
        "n": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "logprobs": True,
        "top_logprobs": 0,
        "stream": False,
        "max_completion_tokens": 1024,
    }


def test_tools_and_json_mode_are_passed_on(vllm, passed):
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    passed.ask(tools=tools, tool_choice="required")
    passed.ask(text="JSON please", response_format={"type": "json_object"})
    [call, json] = vllm.bodies(CHATS)
    assert (call["tools"], call["tool_choice"]) == (tools, "required")
    assert json["response_format"] == {"type": "json_object"}


def test_a_tuned_model_and_its_checkpoint_are_loaded_there_once(vllm, passed, job):
    checkpoint = passed.checkpoints(job)[0]
    for model, folder in [
        (job.fine_tuned_model, "final"),
        (checkpoint.fine_tuned_model_checkpoint, f"checkpoints/step-{checkpoint.step_number}"),
    ]:
        for _ in range(2):
            assert passed.ask(model, "Hi").choices[0].message.content == f"{model}: Hi"
        assert vllm.adapters[model] == f"/gpu/home/jobs/{job.id}/{folder}"
    assert len(vllm.adapters) == 2


def test_what_is_loaded_already_is_fine(vllm, passed, job):
    model = passed.checkpoints(job)[2].fine_tuned_model_checkpoint
    vllm.adapters[model] = "/gpu"
    assert passed.ask(model).choices
    assert len(vllm.bodies(LOAD)) == 1


def test_after_a_restart_of_vllm_adapters_are_loaded_again(vllm, passed, job):
    assert passed.ask(job.fine_tuned_model).choices
    vllm.adapters.clear()
    assert passed.ask(job.fine_tuned_model).choices
    assert job.fine_tuned_model in vllm.adapters


def test_where_vllm_is_full_the_longest_unused_makes_room(vllm, passed, job):
    first, second, *_ = (snapshot.fine_tuned_model_checkpoint for snapshot in passed.checkpoints(job))
    vllm.most = 2
    for model in (first, second, first, job.fine_tuned_model):
        assert passed.ask(model).choices
    assert set(vllm.adapters) == {first, job.fine_tuned_model}
    assert vllm.bodies(UNLOAD) == [{"lora_name": second}]


def test_one_that_is_answering_does_not_make_room(vllm, passed, job):
    vllm.most = 1
    vllm.go_on.clear()
    with passed.ask(job.fine_tuned_model, stream=True) as stream:
        next(iter(stream))
        with pytest.raises(openai.InternalServerError, match="--max-loras"):
            passed.ask(passed.checkpoints(job)[0].fine_tuned_model_checkpoint)


def test_a_stream_comes_piece_by_piece(vllm, passed):
    vllm.go_on.clear()
    pieces = iter(passed.ask(stream=True))
    assert next(pieces).choices[0].delta.content == "word0 "
    vllm.go_on.set()
    assert [piece.choices[0].delta.content for piece in pieces] == [f"word{n} " for n in range(1, WORDS)]


def test_a_client_that_hangs_up_ends_the_writing_there(vllm, passed):
    vllm.go_on.clear()
    vllm.hung_up.clear()
    with passed.ask(stream=True) as stream:
        next(iter(stream))
    assert vllm.hung_up.wait(5)


@pytest.mark.parametrize("fault", ["drop", "error event"])
def test_a_stream_that_breaks_off_says_so(vllm, passed, fault):
    vllm.go_on.clear()
    vllm.fault = fault
    pieces = iter(passed.ask(stream=True))
    next(pieces)
    vllm.go_on.set()
    with pytest.raises(openai.APIError, match="server of 'tiny' could not answer"):
        list(pieces)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("html", "its log says"),
        ("silent", "its log says"),
        ("no updates", "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"),
        ("no folder", "ENGINE_SERVING_HOME"),
        ("wrong key", "ENGINE_SERVING_KEY"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_fault_of_vllm_is_a_503_that_says_what_to_do(vllm, passed, job, fault, words, stream):
    vllm.fault = fault
    vllm.key = "another" if fault == "wrong key" else KEY
    try:
        with pytest.raises(openai.InternalServerError, match=words) as caught:
            passed.ask(job.fine_tuned_model, stream=stream)
    finally:
        vllm.key = KEY
    assert (caught.value.status_code, caught.value.code) == (503, "model_unavailable")
    for secret in (vllm.address.removeprefix("http://"), KEY, "Traceback", "/gpu"):
        assert secret not in caught.value.message


def test_an_unreachable_vllm_is_a_503_and_the_engine_shows_it(elsewhere, passed):
    with pytest.raises(openai.InternalServerError, match="look whether vLLM runs") as caught:
        passed.ask("gone")
    assert caught.value.status_code == 503
    assert passed.embeddings.create(model="gone", input="text").data
    assert b'engine_handover_up{model="gone",server="vllm"} 0' in read(elsewhere, "/metrics").read()
    assert b"vLLM, which failed last" in read(elsewhere, "/").read()


def test_what_vllm_refuses_is_a_400_with_its_words(vllm, passed):
    vllm.fault = "too long"
    with pytest.raises(openai.BadRequestError, match="maximum context length is 64 tokens"):
        passed.ask()


def test_a_bad_parameter_does_not_reach_vllm(vllm, passed):
    with pytest.raises(openai.BadRequestError):
        passed.ask(temperature=3)
    assert vllm.asked == []


def test_a_deleted_model_is_unloaded_when_its_last_chat_has_ended(vllm, passed, job):
    model = passed.checkpoints(job)[2].fine_tuned_model_checkpoint
    vllm.go_on.clear()
    stream = iter(passed.ask(model, stream=True))
    next(stream)
    assert passed.models.delete(model).deleted
    time.sleep(0.2)
    assert model in vllm.adapters
    vllm.go_on.set()
    assert len(list(stream)) == WORDS - 1
    deadline = time.monotonic() + 5
    while model in vllm.adapters:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE_SERVING", "other=http://gpu:8000"),
        ("ENGINE_SERVING", "tiny"),
        ("ENGINE_SERVING", "tiny=gpu:8000"),
        ("ENGINE_SERVING", "tiny=http://user:secret@gpu:8000"),
        ("ENGINE_SERVING_KEY", "ключ"),
        ("ENGINE_SERVING_TIMEOUT", "0"),
    ],
)
def test_a_bad_setting_is_a_refusal_to_start(elsewhere, name, value):
    done = run_engine(elsewhere, "--no-key", "--model", f"tiny={elsewhere.tiny}", **{name: value})
    assert done.returncode == 1 and name in done.stderr and "secret" not in done.stderr
