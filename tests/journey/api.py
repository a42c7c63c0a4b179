"""A small client of our API, as an integration would write it."""

import httpx2

from tests.journey.site import EMAIL


class Api:
    def __init__(self, site):
        self.http = httpx2.Client(base_url=f"{site.url}/api", timeout=60, trust_env=False)
        self.token = self.post("/sign-in/", {"email": EMAIL, "password": site.password})["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path):
        return self._told(self.http.get(path))

    def post(self, path, body=None):
        return self._told(self.http.post(path, json=body or {}))

    def upload(self, path, files):
        return self._told(self.http.post(path, files=[("files", file) for file in files]))

    @staticmethod
    def _told(reply):
        assert reply.status_code < 300, f"{reply.request.url}: {reply.status_code} {reply.text[:500]}"
        return reply.json()


COURSE = """# Lock {n}

Lock {n} has two gates and one keeper.

## Who turns the wheel of lock {n}?

The wheel of lock {n} is turned by its keeper, {n} turns to the left.

**Sluice {n}**: Sluice {n} is the small gate that lets {n} barrels of water through.
"""


def texts(count=8):
    """[(file name, bytes)] of a small course: three examples a text."""
    return [(f"{n:02}.md", COURSE.format(n=n).encode()) for n in range(1, count + 1)]


def small_version(api, count=8):
    """A frozen version of a small course of its own, of so many texts."""
    course = api.post("/courses/", {"title": "Locks", "language": "en"})["id"]
    api.upload(f"/courses/{course}/texts/", texts(count))
    dataset = api.post(f"/courses/{course}/datasets/", {"title": "Locks", "instructions": "Answer briefly."})[
        "id"
    ]
    api.post(f"/datasets/{dataset}/build/")
    api.post(f"/datasets/{dataset}/approve-drafts/")
    return api.post(f"/datasets/{dataset}/versions/")["id"]


def base_model(api):
    return api.get("/base-models/")[0]["id"]
