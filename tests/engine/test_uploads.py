"""Large files in parts."""

import hashlib

import openai
import pytest

PURPOSE = {"purpose": "fine-tune", "mime_type": "text/jsonl", "filename": "big.jsonl"}


def begin(client, size=6):
    return client.uploads.create(bytes=size, **PURPOSE)


def test_parts_are_joined_in_the_order_asked_for(client):
    upload = begin(client)
    assert (upload.status, upload.file, upload.expires_at) == ("pending", None, upload.created_at + 3600)
    last, first = (client.uploads.parts.create(upload.id, data=data).id for data in (b"def", b"abc"))
    md5 = hashlib.md5(b"abcdef").hexdigest()
    done = client.uploads.complete(upload.id, part_ids=[first, last], md5=md5)
    assert (done.status, done.file.filename, done.file.bytes) == ("completed", "big.jsonl", 6)
    assert client.files.content(done.file.id).content == b"abcdef"


def test_a_cancelled_upload_takes_no_more(client, engine):
    upload = begin(client)
    client.uploads.parts.create(upload.id, data=b"abc")
    assert client.uploads.cancel(upload.id).status == "cancelled"
    assert not (engine.home / "uploads" / upload.id).exists()
    for call in (
        lambda: client.uploads.parts.create(upload.id, data=b"abc"),
        lambda: client.uploads.complete(upload.id, part_ids=[]),
        lambda: client.uploads.cancel(upload.id),
    ):
        with pytest.raises(openai.BadRequestError, match="The upload is cancelled"):
            call()


@pytest.mark.parametrize(
    ("chosen", "more", "reason"),
    [([0], {}, "have 3 bytes, not the 6"), ([0, 0], {}, "once"), ([0, 1], {"md5": "0" * 32}, "checksum")],
)
def test_parts_that_are_not_the_file_are_refused(client, chosen, more, reason):
    upload = begin(client)
    parts = [client.uploads.parts.create(upload.id, data=data).id for data in (b"abc", b"def")]
    with pytest.raises(openai.BadRequestError, match=reason):
        client.uploads.complete(upload.id, part_ids=[parts[place] for place in chosen], **more)
    assert client.uploads.complete(upload.id, part_ids=parts).status == "completed"


def test_no_more_than_was_promised_is_taken(client):
    with pytest.raises(openai.BadRequestError, match="exceed the 2 bytes"):
        client.uploads.parts.create(begin(client, 2).id, data=b"abc")


@pytest.mark.parametrize("change", [{"bytes": 0}, {"bytes": 8 * 2**30 + 1}, {"bytes": "6"}, {"purpose": "x"}])
def test_a_bad_upload_is_refused(client, change):
    with pytest.raises(openai.BadRequestError) as caught:
        client.uploads.create(**{"bytes": 6, **PURPOSE} | change)
    assert caught.value.param == next(iter(change))


def test_an_unknown_upload_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        client.uploads.cancel("upload_none")
