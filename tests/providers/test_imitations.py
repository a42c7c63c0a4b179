"""The imitations are as strict as those whom they imitate: what one takes the other refuses."""

import json
import time

import pytest
from django.utils.http import parse_http_date

from providers import client
from providers.errors import GivenUp, TryAgain, Unclear
from tests import factories
from tests.providers.imitation import Imitation
from tests.providers.imitations.azure import Azure
from tests.providers.imitations.crusoe import Crusoe
from tests.providers.imitations.faults import ACCEPTED, FAULTS
from tests.providers.imitations.nebius import Nebius
from tests.providers.imitations.unsloth import Unsloth

ALL = {"openai": Imitation, "azure": Azure, "nebius": Nebius, "crusoe": Crusoe, "unsloth": Unsloth}
LINE = b'{"messages": []}\n'
AUTO = {"n_epochs": "auto", "batch_size": "auto"}
METHOD = {"type": "supervised", "supervised": {"hyperparameters": AUTO}}


@pytest.fixture
def at(request, db):
    """(imitation, provider of its kind)."""
    with ALL[request.param]() as there:
        yield there, factories.make_provider(base_url=there.base_url, kind=request.param)


def places(*kinds):
    return pytest.mark.parametrize("at", kinds or list(ALL), indirect=True)


def file_at(provider, data=LINE):
    data = b"\xef\xbb\xbf" + data if provider.can("bom") else data
    return client.upload(provider, data, "a" * 64, "train-a.jsonl").remote_id


def body_for(provider, **more):
    body = {"model": "tiny", "training_file": file_at(provider), "extra_body": provider.can("extra_body")}
    asked = {"method": METHOD} if provider.can("hyperparameters") == "method" else {"hyperparameters": AUTO}
    return {**body, **asked, **more}


@places()
def test_what_the_record_of_a_kind_says_is_what_it_takes(at):
    there, provider = at
    job = client.create_job(provider, **body_for(provider, metadata={"op": "x"}))
    there.finish(job.id)
    (page,) = client.job_pages(provider)
    assert page[0]["status"] == "succeeded"
    assert bool(page[0]["metadata"]) == provider.can("metadata")
    assert bool(page[0]["result_files"]) == bool(provider.can("results_file"))
    kept = client.checkpoints(provider, job.id)
    assert [each.step_number for each in kept] == [12, 8, 4]
    assert kept[0].metrics.valid_loss > 0
    if provider.can("events"):
        told = {event.type for event in client.events_since(provider, job.id, "")}
        assert ("metrics" in told) == provider.can("event_metrics")


@places()
def test_what_there_is_not_is_404(at):
    there, provider = at
    job = client.create_job(provider, **body_for(provider))
    there.finish(job.id)
    calls = {
        "events": lambda: client.events_since(provider, job.id, ""),
        "files_content": lambda: client.file_content(provider, next(iter(there.files))),
        "files_delete": lambda: client.delete_file(provider, next(iter(there.files))),
    }
    for name, call in calls.items():
        if provider.can(name):
            call()
        elif name == "files_delete":
            before = len(there.files)
            call()
            assert len(there.files) == before
        else:
            with pytest.raises(GivenUp) as told:
                call()
            assert told.value.status == 404


@places("nebius")
@pytest.mark.parametrize(
    "wrong",
    [
        {"method": METHOD},
        {"hyperparameters": {"learning_rate_multiplier": 1}},
        {"hyperparameters": {"batch_size": 64}},
        {"hyperparameters": {"learning_rate": 2}},
    ],
    ids=str,
)
def test_nebius_refuses_what_only_openai_knows(at, wrong):
    there, provider = at
    with pytest.raises(GivenUp) as told:
        client.create_job(provider, **body_for(provider, **wrong))
    assert (told.value.status, there.jobs) == (400, {})


@places("azure")
@pytest.mark.parametrize(
    "wrong",
    [{"suffix": "a" * 19}, {"suffix": "a.b"}, {"extra_body": {}}, {"extra_body": {"trainingType": "x"}}],
    ids=str,
)
def test_azure_refuses_long_suffixes_and_jobs_without_a_tier(at, wrong):
    there, provider = at
    with pytest.raises(GivenUp) as told:
        client.create_job(provider, **body_for(provider, **wrong))
    assert (told.value.status, there.jobs) == (400, {})


@places("azure")
def test_azure_refuses_a_file_without_its_mark(at):
    with pytest.raises(GivenUp, match="byte order mark"):
        client.upload(at[1], LINE, "a" * 64, "train-a.jsonl")


@places("openai")
def test_openai_refuses_what_only_azure_knows(at):
    with pytest.raises(GivenUp, match="trainingType"):
        client.create_job(at[1], **body_for(at[1], extra_body={"trainingType": "Standard"}))


@places("azure", "crusoe")
def test_a_model_answers_only_once_it_is_deployed(at):
    there, provider = at
    with pytest.raises(GivenUp) as told:
        client.complete(provider, "ft:tiny", factories.chat("x", "y")[:1])
    assert (told.value.status, told.value.code) == (404, "model_not_found")
    there.deploy("ft:tiny", "keeper")
    assert client.complete(provider, "keeper", factories.chat("x", "y")[:1]).choices


@places("nebius")
def test_a_checkpoint_is_put_up_asked_for_and_taken_down(at):
    there, provider = at
    job = client.create_job(provider, **body_for(provider))
    there.finish(job.id)
    assert client.job(provider, job.id).fine_tuned_model is None
    last = client.checkpoints(provider, job.id)[0]
    assert client.deploy(provider, "keeper", last.id, "tiny")["status"] == "validating"
    with pytest.raises(GivenUp):
        client.complete(provider, "keeper", factories.chat("x", "y")[:1])
    assert client.deployment(provider, "keeper")["status"] == "validating"
    assert client.deployment(provider, "keeper")["status"] == "active"
    assert client.complete(provider, "keeper", factories.chat("x", "y")[:1]).choices
    client.undeploy(provider, "keeper")
    client.undeploy(provider, "keeper")
    assert client.deployment(provider, "keeper") is None


@places("crusoe")
def test_crusoe_names_its_model_some_while_after_success(at):
    there, provider = at
    job = client.create_job(provider, **body_for(provider))
    there.finish(job.id)
    named = [client.job(provider, job.id).fine_tuned_model is not None for _turn in range(4)]
    assert named == [False, False, True, True]


@places("unsloth")
def test_unsloth_takes_one_job_at_a_time(at):
    _there, provider = at
    first = client.create_job(provider, **body_for(provider))
    with pytest.raises(Unclear) as told:
        client.create_job(provider, **body_for(provider))
    assert told.value.status == 409
    assert client.cancel_job(provider, first.id).status == "cancelled"
    assert client.create_job(provider, **body_for(provider)).id != first.id


@places("openai")
def test_openai_pauses_and_resumes(at):
    there, provider = at
    job = client.create_job(provider, **body_for(provider))
    with pytest.raises(GivenUp):
        client.pause_job(provider, job.id)
    there.run(job.id)
    assert client.pause_job(provider, job.id).status == "paused"
    assert client.resume_job(provider, job.id).status == "queued"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_says_whether_the_job_was_taken(there, provider, fault):
    order = {**FAULTS[fault], **({"slow": 0.1} if "slow" in FAULTS[fault] else {})}
    there.when("POST /fine_tuning/jobs", **order)
    try:
        client.create_job(provider, model="tiny", training_file="file-1")
    except (TryAgain, Unclear, GivenUp) as error:
        assert fault != "accept then slow"
        assert isinstance(error, Unclear) or fault not in ACCEPTED, "what may have been taken is in doubt"
    else:
        assert fault == "accept then slow"
    assert len(there.jobs) == (fault in ACCEPTED)


def test_busy_says_when_to_come_back_in_seconds_or_by_date(there, provider):
    waits = []
    for fault in ("429 with seconds", "429 with a date"):
        there.when("POST /fine_tuning/jobs", **FAULTS[fault])
        with pytest.raises(TryAgain) as told:
            client.create_job(provider, model="tiny", training_file="file-1")
        waits.append(told.value.retry_after)
    assert waits[0] == 1
    date = parse_http_date(FAULTS["429 with a date"]["headers"]["Retry-After"])
    assert waits[1] == pytest.approx(max(0, date - time.time()), abs=1)


def test_new_jobs_come_late_into_lists(there, provider):
    there.list_lag = 0.3
    job = there.add_job()
    assert list(client.job_pages(provider)) == [[]]
    assert client.job(provider, job["id"]).id == job["id"]
    time.sleep(0.35)
    assert [row["id"] for page in client.job_pages(provider) for row in page] == [job["id"]]


def test_ten_thousand_jobs_are_listed_by_a_hundred_calls(there, provider):
    made = there.fill(10_000, status="running")
    read = [row["id"] for page in client.job_pages(provider) for row in page]
    assert read == [job["id"] for job in reversed(made)]
    assert len(there.requests) == 100


def test_a_list_that_never_ends_is_left(there, provider):
    row = there.add_job()
    again = json.dumps({"object": "list", "data": [row], "has_more": True}).encode()
    there.rendered = {None: again, row["id"]: again}
    assert len(list(client.job_pages(provider))) == 2
