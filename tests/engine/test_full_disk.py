"""A disk without room fails what needs it, with words that help, and nothing else; later all goes on.

The system's limit of a file's size stops writers in the middle, as a full disk does.
"""

import os
import resource
import sqlite3
from contextlib import contextmanager

import openai
import pytest

from engine.room import adapter_bytes

NONE = resource.RLIM_INFINITY


@contextmanager
def no_file_beyond(size, pid):
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, NONE))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (NONE, NONE))


@pytest.mark.parametrize("size", [0, 100_000], ids=["no line of the log fits", "no adapter fits"])
def test_a_trainer_that_cannot_write_fails_its_job(engine, client, training, long_options, size):
    job = client.start(training, **long_options)
    client.wait_for_checkpoint(job)
    [trainer] = engine.trainer_pids()
    resource.prlimit(trainer, resource.RLIMIT_FSIZE, (size, NONE))
    job = client.wait(job)
    assert (job.status, job.error.code) == ("failed", "disk_full")
    assert "MB are free. Make room" in job.error.message
    assert client.ask(client.checkpoints(job)[0].fine_tuned_model_checkpoint).choices
    left = {path.name for path in (engine.home / "jobs" / job.id).rglob("*")}
    assert not any(name.endswith(".draft") or name.startswith(".tmp") for name in left)


def test_a_server_that_cannot_write_still_answers(engine, client, training):
    upload = client.uploads.create(bytes=8, filename="a", mime_type="text/plain", purpose="fine-tune")
    parts = [client.uploads.parts.create(upload.id, data=b"some").id for _ in range(2)]
    file = client.upload(training)
    client.ask(max_tokens=1)
    before = kept(engine)
    wanted = [
        lambda: client.upload(training),
        lambda: client.upload(b"x" * 2_000_000),
        lambda: client.fine_tuning.jobs.create(model="tiny", training_file=file),
        lambda: client.uploads.parts.create(upload.id, data=b""),
        lambda: client.uploads.complete(upload.id, part_ids=parts),
        lambda: client.files.delete(file),
    ]
    with no_file_beyond(0, engine.pid):
        for call in wanted:
            with pytest.raises(openai.InternalServerError, match="The server's disk is full") as caught:
                call()
            assert (caught.value.status_code, caught.value.code) == (507, "disk_full")
        assert client.ask(max_tokens=1).choices
        assert client.files.retrieve(file).bytes == len(training)
    assert kept(engine) == before
    assert client.uploads.complete(upload.id, part_ids=parts).file.bytes == 8
    job = client.fine_tuning.jobs.create(model="tiny", training_file=file)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with sqlite3.connect(f"file:{engine.home}/engine.sqlite3?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def kept(engine):
    """Every file and folder of the engine, but not the trainers' own."""
    places = [engine.home / "files", engine.home / "uploads", engine.home / "tmp"]
    return {path for place in places for path in place.rglob("*")} | {*(engine.home / "jobs").iterdir()}


def test_a_training_that_will_not_fit_is_not_started(engine, client, training):
    heavy = engine.tiny / "heavy.safetensors"
    with heavy.open("wb") as file:
        # A matrix so long that its adapter would take hundreds of GB; the file is a hole.
        rows = 2**32
        header = b'{"long":{"dtype":"U8","shape":[%d,1],"data_offsets":[0,%d]}}' % (rows, rows)
        file.write(len(header).to_bytes(8, "little") + header)
        os.truncate(file.fileno(), 8 + len(header) + rows)
    try:
        job = client.wait(client.start(training))
    finally:
        heavy.unlink()
    assert (job.status, job.error.code) == ("failed", "disk_full")
    assert "Make room, then create the job again." in job.error.message
    assert not any("started" in message for message in client.messages(job))


def test_what_an_adapter_takes_is_known_before(engine, short):
    real = (engine.home / "jobs" / short.id / "final" / "adapter_model.safetensors").stat().st_size
    assert adapter_bytes(engine.tiny) == pytest.approx(real, rel=0.05)
