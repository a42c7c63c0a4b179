import http.client
from urllib.parse import urlsplit

import openai
import pytest


def test_a_file_comes_back_byte_by_byte(client):
    data = "ё\r\n\x00".encode() * 1000
    made = client.files.create(file=("../../план.jsonl", data), purpose="fine-tune")
    assert (made.bytes, made.filename, made.status) == (len(data), "план.jsonl", "processed")
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).content == data


def test_a_deleted_file_is_gone(client):
    id = client.upload(b"{}")
    assert client.files.delete(id).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match="No such File"):
            call(id)


def test_files_are_listed_newest_first_a_page_at_a_time(client):
    ids = [client.upload(b"x", purpose="assistants") for _ in range(5)]
    first = client.files.list(purpose="assistants", limit=2)
    assert first.has_more
    assert [file.id for file in client.files.list(purpose="assistants", limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(purpose="assistants", order="asc")] == ids
    assert all(file.purpose == "fine-tune" for file in client.files.list(purpose="fine-tune"))


def test_a_cursor_that_names_nothing_is_an_error(client):
    with pytest.raises(openai.NotFoundError):
        client.files.list(after="file-none")


@pytest.mark.parametrize("limit", [0, 10_001, "many"])
def test_a_limit_out_of_range_is_an_error(client, limit):
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.list(limit=limit)
    assert caught.value.param == "limit"


def test_an_unknown_purpose_is_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.upload(b"x", purpose="mischief")
    assert caught.value.param == "purpose"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"no parts"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhi\r\n--x--',
        ),
    ],
)
def test_a_form_without_a_file_is_refused(engine, content_type, body):
    assert post_file(engine, {"Content-Type": content_type}, body).status == 400


def test_a_file_over_the_limit_is_refused_before_it_is_read(engine):
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(2**30)}
    assert post_file(engine, headers, b"").status == 413


def test_an_upload_cut_short_leaves_nothing(engine, client):
    before = sorted((engine.home / "files").iterdir())
    connection = connect(engine)
    connection.putrequest("POST", "/v1/files")
    for name, value in {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "5000"}.items():
        connection.putheader(name, value)
    connection.putheader("Authorization", f"Bearer {engine.key}")
    connection.endheaders(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n')
    connection.close()
    client.models.list()
    assert sorted((engine.home / "files").iterdir()) == before


def connect(engine):
    return http.client.HTTPConnection(urlsplit(engine.base_url).netloc, timeout=10)


def post_file(engine, headers, body):
    connection = connect(engine)
    connection.request("POST", "/v1/files", body, {"Authorization": f"Bearer {engine.key}", **headers})
    return connection.getresponse()
