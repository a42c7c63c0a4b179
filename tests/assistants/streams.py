"""Reading a streamed answer as a browser or a program on ASGI does."""

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.tokens import make_token


@async_to_sync
async def posted(client, where, *body, **more):
    """(answer, its pieces)."""
    answer = await client.post(where, *body, **more)
    if not answer.streaming:
        return answer, [answer.content]
    return answer, [piece async for piece in answer.streaming_content]


def page_stream(person, where):
    client = AsyncClient()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return posted(client, where)


def api_stream(person, where, body):
    headers = {"Authorization": f"Bearer {make_token(person, days=1)[1]}"}
    return posted(AsyncClient(), where, body, content_type="application/json", headers=headers)
