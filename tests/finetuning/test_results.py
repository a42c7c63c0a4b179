"""Numbers from checkpoints and results files, where the events tell none."""

import base64

import pytest

from finetuning import results
from tests import factories
from tests.providers.imitations.azure import Azure
from tests.providers.imitations.crusoe import Crusoe
from tests.providers.imitations.nebius import Nebius
from tests.providers.imitations.unsloth import Unsloth

TABLE = "step,train_loss,train_accuracy,valid_loss\n1,2.5,0.3,\n2,1.5,0.4,1.75\n"
ROWS = [
    {"step": 1, "train_loss": 2.5, "train_mean_token_accuracy": 0.3},
    {"step": 2, "train_loss": 1.5, "train_mean_token_accuracy": 0.4, "valid_loss": 1.75},
]


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(), base64.b64encode(TABLE.encode()), base64.encodebytes(TABLE.encode()),
        b"\xef\xbb\xbf" + TABLE.encode(), TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("train_accuracy", "Training Accuracy").replace("valid_loss", "validation_loss").encode(),
    ],
)  # fmt: skip
def test_a_table_is_read_however_it_is_wrapped_and_named(data):
    assert results.read(data) == ROWS


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\x00\xff\xfe", b"<html>, no</html>", b"a,b\n1,2", b"step,x\nnan,1\n,\ninf,2\n1.5,3", b"c3RlcA",
     b"step,x\n" + b"9" * 400 + b",1"],
)  # fmt: skip
def test_what_is_no_such_table_has_no_rows(data):
    assert results.read(data) == []


def test_odd_cells_are_left_out():
    assert results.read(b"step,train_loss,note\n1,nan,x\n2,1e999,\n3,0.5,y,z\n4") == [
        {"step": 1}, {"step": 2}, {"step": 3, "train_loss": 0.5}, {"step": 4},
    ]  # fmt: skip


@pytest.fixture(params=[Azure, Crusoe, Nebius, Unsloth], ids=lambda kind: kind.__name__.lower())
def there(request):
    with request.param() as there:
        yield there


@pytest.fixture
def provider(there):
    return factories.make_provider(kind=type(there).__name__.lower(), base_url=there.base_url)


def names(job):
    return set(job.metrics.values_list("name", flat=True))


def test_all_the_numbers_that_a_provider_has_are_there_at_the_end(running, there, sweep):
    job, _remote = running
    there.wraps_results = True
    there.finish(job.remote_id)
    sweep(job, times=4)
    assert job.state == "succeeded"
    assert {"train_loss", "valid_loss"} <= names(job)
    if not isinstance(there, Unsloth):
        assert "valid_mean_token_accuracy" in names(job)
    assert [each.step for each in job.checkpoints.all()] == [4, 8, 12]
    assert job.result_files == there.jobs[job.remote_id]["result_files"]


def test_a_results_file_that_is_gone_or_garbled_does_not_stop_the_end(job, there, sweep):
    sweep(job)
    there.finish(job.remote_id)
    there.when("GET /files/*/content", times=5, status=404)
    sweep(job, times=4)
    assert job.state == "succeeded"
