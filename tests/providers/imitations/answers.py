"""The shapes in which OpenAI answers."""

from tests.providers.imitations.wire import Told


def refusal(status, message, code=None, type="invalid_request_error", **headers):
    return Told({"error": {"message": message, "code": code, "type": type, "param": None}}, status, headers)


def missing():
    return refusal(404, "Not found.", "not_found")


def page(rows, query) -> dict:
    """`limit` of the rows after the one with id `after`."""
    after, limit = query.get("after", [None])[0], int(query.get("limit", ["20"])[0])
    start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
    shown = rows[start : start + limit]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {}
    return {"object": "list", "data": shown, "has_more": start + limit < len(rows), **ends}
