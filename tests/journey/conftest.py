import pytest

from tests.journey.api import Api, base_model, small_version
from tests.journey.site import Site


def pytest_collection_modifyitems(items):
    """All of these share one site, so one xdist worker runs them."""
    for item in items:
        if "tests/journey/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("journey"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    # A short path: the address of a socket has room for about a hundred characters.
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    assert site.stop() == 0, (site.home / "supervisor.log").read_text()
    assert not site.pids(), "a process outlived the supervisor"


@pytest.fixture(scope="session")
def api(site):
    return Api(site)


@pytest.fixture(scope="session")
def job(api, site):
    """A finished job on the demo course, as the API tells it."""
    body = {"model": base_model(api), "n_epochs": "2", "suffix": "journey"}
    job = api.post(f"/versions/{small_version(api)}/jobs/", body)
    return site.wait_for(lambda: ended(api, f"/jobs/{job['id']}/"), 180)


@pytest.fixture(scope="session")
def published(api, job):
    """The id of a published assistant on that job's model."""
    dataset = api.get(f"/versions/{job['version']}/")["dataset"]
    course = api.get(f"/datasets/{dataset}/")["course"]
    model = api.get(f"/courses/{course}/models/")["results"][0]["id"]
    assistant = api.post(f"/models/{model}/assistants/")["id"]
    api.post(f"/assistants/{assistant}/publish/")
    return assistant


def ended(api, path):
    row = api.get(path)
    return (
        row
        if row["state"] not in ("intended", "sending", "validating", "queued", "running", "paused")
        else None
    )
