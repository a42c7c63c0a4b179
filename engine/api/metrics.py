"""/metrics, in Prometheus' text format."""

import resource
import time
from bisect import bisect_left
from pathlib import Path

from starlette.responses import PlainTextResponse

BOUNDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)  # seconds


class Latency:
    """Middleware that counts how long answers take, up to their last byte."""

    counts, total = [0] * (len(BOUNDS) + 1), 0.0

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        began = time.monotonic()
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                taken = time.monotonic() - began
                Latency.counts[bisect_left(BOUNDS, taken)] += 1
                Latency.total += taken


def metrics(request):
    return PlainTextResponse(
        "\n".join(_lines(request.app.state)) + "\n", media_type="text/plain; version=0.0.4"
    )


def _lines(state):
    yield "# TYPE engine_jobs gauge"
    for row in state.store.all("SELECT status, count(*) AS n FROM jobs GROUP BY status"):
        yield f'engine_jobs{{status="{row["status"]}"}} {row["n"]}'
    yield from _one("engine_chats_waiting", "gauge", state.server.waiting)
    yield from _one("engine_chats_writing", "gauge", state.server.writing)
    yield "# TYPE engine_handover_up gauge"
    for name, handover in state.handovers.items():
        yield f'engine_handover_up{{model="{name}",server="vllm"}} {int(handover.well)}'
    yield "# TYPE engine_handover_chats gauge"
    for name, handover in state.handovers.items():
        yield f'engine_handover_chats{{model="{name}",server="vllm"}} {handover.writing}'
    yield from _one("engine_prompt_tokens_total", "counter", state.server.tokens_read)
    yield from _one("engine_completion_tokens_total", "counter", state.server.tokens_written)
    yield from _one("engine_memory_bytes", "gauge", _memory())
    yield "# TYPE engine_request_seconds histogram"
    reached = 0
    for bound, count in zip([*BOUNDS, "+Inf"], Latency.counts, strict=True):
        reached += count
        yield f'engine_request_seconds_bucket{{le="{bound}"}} {reached}'
    yield f"engine_request_seconds_sum {Latency.total:.6f}"
    yield f"engine_request_seconds_count {reached}"


def _one(name, kind, value):
    return f"# TYPE {name} {kind}", f"{name} {value}"


def _memory():
    """Resident bytes now; on other systems than Linux the most that there were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
