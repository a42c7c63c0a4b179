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


def version_of_demo(api, course=1):
    """A frozen version of the demo course, made anew."""
    dataset = api.get(f"/courses/{course}/datasets/")["results"][0]["id"]
    api.post(f"/datasets/{dataset}/approve-drafts/")
    return api.post(f"/datasets/{dataset}/versions/")["id"]


def base_model(api):
    return api.get("/base-models/")[0]["id"]
