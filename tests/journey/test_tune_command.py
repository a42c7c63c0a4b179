"""`manage.py tune`: one command from a folder to a model in use, and a status that tells whether it worked."""

from tests.journey.api import texts


def folder(tmp_path, files=8):
    for name, data in texts(files):
        (tmp_path / name).write_bytes(data)
    return str(tmp_path)


def test_a_folder_becomes_a_model_in_use(site, tmp_path):
    done = site.manage("tune", folder(tmp_path), "--title", "Locks", "--epochs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("Validation loss", "Validation token accuracy", "chrF", "Chat with it"):
        assert word in done.stdout


def test_until_freeze_shows_counts_and_costs(site, tmp_path):
    done = site.manage("tune", folder(tmp_path), "--title", "Frozen locks", "--until", "freeze")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tokens (o200k)" in done.stdout and "gpt-4o-mini" in done.stdout


def test_a_folder_without_text_is_refused(site, tmp_path):
    done = site.manage("tune", str(tmp_path))
    assert done.returncode == 1
    assert "choose a course that holds text" in done.stderr


def test_too_few_examples_are_counted(site, tmp_path):
    done = site.manage("tune", folder(tmp_path, files=1), "--title", "One lock")
    assert done.returncode == 1
    assert "at least 10" in done.stderr


def test_a_file_that_is_no_text_is_named(site, tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"\x00\x01\x02\xff" * 50)
    done = site.manage("tune", str(tmp_path))
    assert done.returncode == 1
    assert "notes.txt" in done.stderr and "Traceback" not in done.stderr


def test_an_unknown_model_is_refused_with_those_there_are(site, tmp_path):
    done = site.manage("tune", folder(tmp_path), "--title", "Locks", "--model", "gpt-9")
    assert done.returncode == 1
    assert "smollm2-135m-instruct" in done.stderr
