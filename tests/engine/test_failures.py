"""What goes wrong inside a training fails its job with words that help, and the server lives on."""

from pathlib import Path

from safetensors.numpy import load_file, save_file

from tests.engine.talk import Client, chat, jsonl
from tests.engine_process import EngineProcess


def test_a_loss_that_is_no_number_fails_the_job(tmp_path, training, validation):
    with EngineProcess(tmp_path) as engine:
        weights = load_file(engine.tiny / "model.safetensors")
        weights["lm_head.weight"][:] = float("nan")
        save_file(weights, engine.tiny / "model.safetensors", metadata={"format": "pt"})
        client = Client.of(engine)
        for options, loss in (
            ({}, "training loss is not a number at step 1"),
            (
                {"validation_file": client.upload(validation)},
                "full validation loss is not a number at step 0",
            ),
        ):
            job = client.wait(client.start(training, **options))
            assert (job.status, job.error.code) == ("failed", "training_diverged")
            assert job.error.message == f"The {loss}."
            assert client.metrics(job) == []
        assert client.models.list().data and engine.trainer_pids() == []


def test_too_little_memory_fails_the_job_and_harms_nothing_else(tmp_path, training):
    with EngineProcess(tmp_path, ENGINE_TRAINING_MEMORY_MB="450") as engine:
        client = Client.of(engine)
        job = client.wait(client.start(jsonl([chat("q" * 1500, "a" * 2400)] * 10)))
        assert (job.status, job.error.code) == ("failed", "out_of_memory"), job.error
        assert "450 MB (ENGINE_TRAINING_MEMORY_MB). Use shorter examples" in job.error.message
        assert len([text for text in client.messages(job) if "job started" in text]) == 1
        assert client.ask().choices

        job = client.start(training, hyperparameters={"n_epochs": 5})
        client.wait(job, until=lambda job: client.losses(job))
        [trainer] = engine.trainer_pids()
        first = {pid: int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (trainer, engine.pid)}
        assert first[trainer] == 1000 > first[engine.pid]
        assert client.wait(job).status == "succeeded"
