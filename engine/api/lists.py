"""Lists with a cursor, as OpenAI pages them."""


def page_of(rows, has_more):
    ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {}
    return {"object": "list", "data": rows, "has_more": has_more, **ends}
