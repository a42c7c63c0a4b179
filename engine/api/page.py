"""The page at `/`: the models, and the jobs with their curves. It only shows; it needs no script."""

import base64
import hashlib
import time
from html import escape

from starlette.responses import HTMLResponse

from engine.api.chart import chart

REFRESH = 5  # seconds
SHOWN_JOBS = 20
STYLE = """
:root { color-scheme: light dark; --line: #8884; --train: #2563eb; --valid: #d97706; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem .3rem 0; }
tr, article { border-bottom: 1px solid var(--line); } article { padding: .8rem 0; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 1.5rem; } h3 { font-size: 1rem; margin: 0; }
.scroll { overflow-x: auto; } p { margin: .2rem 0; overflow-wrap: anywhere; } svg { width: 100%; max-width: 32rem; }
.train { color: var(--train); } .valid { color: var(--valid); }
polyline { fill: none; stroke: currentColor; stroke-width: 2; } circle { fill: currentColor; }
.grid { stroke: var(--line); } text { fill: currentColor; font-size: 11px; }
.loss { text-anchor: end; } .step { text-anchor: middle; }
i { display: inline-block; width: 1.2em; margin: 0 .4em 0 .2em; border-top: 3px solid; vertical-align: middle; }
"""
DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Engine</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="{refresh}">
<style>{style}</style></head><body><main><h1>Engine</h1>
<h2>Models</h2><div class="scroll" role="region" aria-label="Models" tabindex="0"><table>
<tr><th>Name<th>Base<th>Licence<th>Languages<th>Context<th>Served by</tr>{models}</table></div>
<h2>Jobs</h2>{jobs}</main></body></html>"""


def page(request):
    state = request.app.state
    jobs = state.store.all(f"SELECT * FROM jobs ORDER BY seq DESC LIMIT {SHOWN_JOBS}")
    html = PAGE.format(
        refresh=REFRESH,
        style=STYLE,
        models="".join(_models(state)),
        jobs="".join(_job(state, job) for job in jobs) or "<p>None yet.</p>",
    )
    return HTMLResponse(html, headers=HEADERS)


def _models(state):
    for base in state.bases.values():
        card = base.card()
        known = card["licence"], ", ".join(card["languages"]), card["context_window"]
        yield _row(base.name, "", *known, _server(state.handovers.get(base.name)))
    for model in state.store.all("SELECT * FROM models ORDER BY seq DESC"):
        yield _row(model["id"], model["base"], "", "", "", _server(state.handovers.get(model["base"])))


def _server(handover):
    if handover is None:
        return "this engine"
    return "vLLM" if handover.well else "vLLM, which failed last"


def _row(*cells):
    return "<tr>" + "".join(f"<td>{_text(cell)}" for cell in cells) + "</tr>"


def _text(value):
    return escape("" if value is None else str(value))


def _job(state, job):
    sql = "SELECT data FROM events WHERE job = ? AND type = 'metrics' ORDER BY seq"
    steps = [row["data"] for row in state.store.all(sql, job["id"])]
    words = [job["status"], job["model"], job["method"]]
    if steps:
        words.append(f"step {steps[-1]['step']} of {steps[-1]['total_steps']}")
    if job["estimated_finish"]:
        words.append(f"about {max(0, job['estimated_finish'] - int(time.time()))} s left")
    error = f"<p>{_text(job['error']['message'])}</p>" if job["error"] else ""
    heading = f"<h3>{_text(job['id'])}</h3><p>{_text(' · '.join(words))}</p>"
    return f"<article>{heading}{error}{chart(steps)}</article>"
