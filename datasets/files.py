"""JSONL as a download, the same for page and API."""

from django.http import Http404, HttpResponse, StreamingHttpResponse

from datasets.states import Split


def version_file(version, split, preferences=False):
    """The file of a split, byte for byte as it was frozen; or its preference rows."""
    if split not in Split.values:
        raise Http404
    kind = "-preferences" if preferences else ""
    data = version.jsonl(split, preferences)
    return _named(HttpResponse(data), f"version-{version.pk}-{split}{kind}.jsonl")


def export_file(dataset):
    return _named(StreamingHttpResponse(dataset.export()), f"dataset-{dataset.pk}.jsonl")


def _named(response, name):
    response["Content-Type"] = "application/jsonl; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
