"""The same frozen version trains at all providers, each asked as it wants to be."""

import os
from codecs import BOM_UTF8

import pytest

from tests.finetuning.everywhere import BEGINS, ENDS, PAGE, everywhere, table


@pytest.fixture
def told(version, tmp_path):
    return everywhere(version, tmp_path / "engine")


def test_one_version_trains_everywhere_and_the_page_shows_what_each_was_asked_for(told, version):
    trained = version.jsonl("train")
    for kind, (job, _asked, data) in told.items():
        assert job.state == "succeeded", (kind, job.problem, job.error_message)
        assert job.tuned and job.trained_tokens is not None
        assert trained in data and data.startswith(BOM_UTF8) == (kind == "azure")
        losses = job.metrics.filter(name="train_loss")
        assert losses.count() >= (1 if kind in ("unsloth", "nebius") else 3), kind
        assert kind == "engine" or job.checkpoints.count() == 3
    _before, rest = PAGE.read_text().split(BEGINS)
    shown, _after = rest.split(ENDS)
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(f"{_before}{BEGINS}{table(told)}{ENDS}{_after}")
        return
    assert shown == table(told), "run this test with WRITE_PAGES=1 and read the difference"
