"""What `POST /v1/fine_tuning/jobs` refuses."""

import openai
import pytest


@pytest.fixture(scope="module")
def create(client, training):
    """Create a job that is cancelled at once."""
    file = client.upload(training)

    def create(**options):
        job = client.fine_tuning.jobs.create(**{"model": "tiny", "training_file": file} | options)
        client.fine_tuning.jobs.cancel(job.id)
        return job

    return create


def supervised(**hyperparameters):
    return {"method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}}


def dpo(**hyperparameters):
    return {"method": {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}}


REFUSED = [
    ({"model": "gpt-4o"}, "model", "model_not_available"),
    ({"model": ""}, "model", "missing_required_parameter"),
    ({"model": 7}, "model", "invalid_type"),
    ({"training_file": "file-none"}, "training_file", "file_not_found"),
    ({"training_file": None}, "training_file", "missing_required_parameter"),
    ({"validation_file": "file-none"}, "validation_file", "file_not_found"),
    ({"seed": -1}, "seed", "invalid_value"),
    ({"seed": 2**31}, "seed", "invalid_value"),
    ({"seed": 1.5}, "seed", "invalid_type"),
    ({"seed": True}, "seed", "invalid_type"),
    ({"suffix": ""}, "suffix", None),
    ({"suffix": "x" * 65}, "suffix", None),
    ({"suffix": "a\r\nSet-Cookie: b"}, "suffix", None),
    ({"suffix": "a/b"}, "suffix", None),
    ({"metadata": ["op"]}, "metadata", "invalid_type"),
    ({"metadata": {str(n): "" for n in range(17)}}, "metadata", None),
    ({"metadata": {"k" * 65: "v"}}, f"metadata.{'k' * 64}", None),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", None),
    ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
    (supervised(n_epochs=0), "n_epochs", "invalid_value"),
    (supervised(n_epochs=51), "n_epochs", "invalid_value"),
    (supervised(n_epochs="many"), "n_epochs", "invalid_type"),
    (supervised(batch_size=257), "batch_size", "invalid_value"),
    (supervised(batch_size=1.5), "batch_size", "invalid_type"),
    (supervised(learning_rate_multiplier=0), "learning_rate_multiplier", "invalid_value"),
    (supervised(learning_rate_multiplier=10**400), "learning_rate_multiplier", "invalid_value"),
    (supervised(beta=0.1), "method.supervised.hyperparameters.beta", "unknown_parameter"),
    ({"hyperparameters": {"n_epochs": -1}}, "n_epochs", "invalid_value"),
    (dpo(beta=-1), "beta", "invalid_value"),
    (dpo(gamma=1), "method.dpo.hyperparameters.gamma", "unknown_parameter"),
    (supervised(early_stopping_patience=2), "early_stopping_patience", "invalid_value"),
    (dpo(early_stopping_patience=51), "early_stopping_patience", "invalid_value"),
    ({"method": {"type": "reinforcement"}}, "method.type", "unsupported_method"),
    ({"method": {}}, "type", "missing_required_parameter"),
    ({"integrations": [{"type": "wandb"}]}, "integrations", "unsupported_parameter"),
]


@pytest.mark.parametrize(("options", "param", "code"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_parameter_is_named(create, options, param, code):
    with pytest.raises(openai.BadRequestError) as caught:
        create(**options)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"


def test_a_file_for_another_purpose_is_refused(client, create):
    other = client.upload(b"x", purpose="assistants")
    with pytest.raises(openai.BadRequestError, match="purpose 'assistants'") as caught:
        create(training_file=other)
    assert caught.value.param == "training_file"


def test_limits_are_allowed(create):
    job = create(
        seed=2**31 - 1,
        suffix="ы" * 64,
        metadata={f"{n:064}": "v" * 512 for n in range(16)},
        **supervised(n_epochs=50, batch_size=256, learning_rate_multiplier=0.5),
    )
    assert job.hyperparameters.to_dict() == {
        "n_epochs": 50,
        "batch_size": 256,
        "learning_rate_multiplier": 0.5,
    }
    assert len(job.metadata) == 16


def test_early_stopping_is_off_unless_a_number_asks_for_it(client, training, create):
    validation = client.upload(training)
    for patience, reported in ({3: 3, "auto": None, None: None}).items():
        job = create(validation_file=validation, **supervised(early_stopping_patience=patience))
        assert job.method.supervised.hyperparameters.to_dict().get("early_stopping_patience") == reported


def test_hyperparameters_may_stand_at_the_top(create):
    job = create(hyperparameters={"n_epochs": 2, "batch_size": "auto"})
    assert job.method.supervised.hyperparameters.n_epochs == 2
    assert job.hyperparameters.batch_size == "auto"


def test_seeds_are_drawn_when_none_is_given(create):
    assert create().seed != create().seed


@pytest.mark.parametrize("verb", ["retrieve", "cancel", "list_events"])
def test_an_unknown_job_is_not_found(client, verb):
    with pytest.raises(openai.NotFoundError) as caught:
        getattr(client.fine_tuning.jobs, verb)("ftjob-none")
    assert caught.value.code == "fine_tune_not_found"
