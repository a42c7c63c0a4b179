"""What goes wrong inside a training fails its job with words that help, and the server lives on."""

from safetensors.numpy import load_file, save_file

from tests.engine.talk import Client
from tests.engine_process import EngineProcess


def test_a_loss_that_is_no_number_fails_the_job(tmp_path, training):
    with EngineProcess(tmp_path) as engine:
        weights = load_file(engine.tiny / "model.safetensors")
        weights["lm_head.weight"][:] = float("nan")
        save_file(weights, engine.tiny / "model.safetensors", metadata={"format": "pt"})
        client = Client.of(engine)
        job = client.wait(client.start(training))
        assert (job.status, job.error.code) == ("failed", "training_diverged")
        assert job.error.message == "The training loss is not a number at step 1."
        assert client.models.list().data and engine.trainer_pids() == []
