import openai
import pytest


def test_the_base_model_states_its_licence_and_languages(client):
    model = client.models.retrieve("tiny").to_dict()
    assert model == {
        "id": "tiny",
        "object": "model",
        "created": model["created"],
        "owned_by": "system",
        "licence": "apache-2.0",
        "languages": ["en", "ru"],
        "context_window": 4096,
        "shutdown_date": None,
    }


def test_a_base_model_cannot_be_deleted(client):
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("tiny")


def test_a_tuned_model_names_its_base(client, tuned):
    model = client.models.retrieve(tuned.fine_tuned_model).to_dict()
    assert (model["parent"], model["job"], model["licence"]) == ("tiny", tuned.id, "apache-2.0")


def test_models_are_listed_with_their_checkpoints(client, tuned):
    names = [model.id for model in client.models.list()]
    assert names[0] == "tiny"
    assert len([name for name in names if name.startswith(tuned.fine_tuned_model)]) == 4


def test_a_model_is_gone_once_deleted(engine, client, short):
    name, folder = short.fine_tuned_model, engine.home / "jobs" / short.id / "final"
    assert client.ask(name).choices and folder.exists()
    assert client.models.delete(name).deleted
    assert not folder.exists()
    assert name not in [model.id for model in client.models.list()]
    for call in (client.models.retrieve, client.models.delete, client.ask):
        with pytest.raises(openai.NotFoundError) as caught:
            call(name)
        assert caught.value.code == "model_not_found"
