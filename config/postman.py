"""The API as a Postman collection (format 2.1): every endpoint once, in the order of the way, with its tests.

Addresses, names and parameters come from the OpenAPI schema; this table adds the order, the bodies, what is kept
for later requests, and what must be true of an answer (JavaScript over `body`).
"""

import json
import re
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from drf_spectacular.generators import SchemaGenerator

from config.keys import ROOT

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = """The way from texts to a model in use. Set `email` and `password` in the environment and run the \
folders in order: each request keeps the ids that the next ones need, and two of them repeat themselves until the \
training and the evaluation have ended. Files are found from the project's folder."""
ENVIRONMENT = {
    "base_url": "http://127.0.0.1:8000",
    "email": "instructor@example.com",
    "password": "",
    "member_email": "student@example.com",
    "base_model": "smollm2-135m-instruct",
}
SECRET = ("password", "token")
PAUSE = 2000  # milliseconds between two looks
FIXED = {"split": "train", "name": "{{assistant_model}}", "token": "{{service_token_id}}"}


@dataclass
class Step:
    """`call` is method and path; `wait` is the JavaScript that says whether the row has ended."""

    call: str
    body: dict | None = None
    keep: dict = field(default_factory=dict)
    expect: dict = field(default_factory=dict)
    name: str = ""
    files: tuple = ()
    codes: tuple = ()
    wait: str = ""
    query: dict = field(default_factory=dict)


def lighthouse():
    folder = ROOT / "demo" / "lighthouse"
    return tuple(("files", f"demo/lighthouse/{path.name}") for path in sorted(folder.glob("0*.md")))


QUESTION = {"role": "user", "content": "What does the keeper do at dusk?"}
ANSWER = {"role": "assistant", "content": "He trims the wick and lights the lamp before the sun is down."}
BRIEFER = {"role": "assistant", "content": "He trims the wick and lights the lamp."}
ENDED = '["succeeded", "failed", "cancelled"].includes(body.state)'

WALK = {
    "1 Sign in": [
        Step(
            "POST /api/sign-in/",
            {"email": "{{email}}", "password": "{{password}}", "days": 1},
            keep={"token": "body.token"},
        ),
        Step(
            "GET /api/me/",
            expect={"it is the person who signed in": 'body.email === pm.environment.get("email")'},
        ),
        Step("PATCH /api/me/", {"language": "en"}, name="Change the own name or language"),
        Step(
            "POST /api/tokens/",
            {"name": "Postman", "days": 1, "scopes": ["read"]},
            expect={"it is shown once": "body.token.length > 40"},
            name="Make a token that may only read",
        ),
        Step("GET /api/tokens/", keep={"token_id": "body[0].id"}),
        Step("GET /api/sessions/", keep={"session_id": "body.length ? body[0].id : 0"}),
    ],
    "2 Prepare: the course and its texts": [
        Step(
            "POST /api/courses/",
            {"title": "The lighthouse", "language": "en", "description": "Made by the Postman collection"},
            keep={"course_id": "body.id"},
        ),
        Step("GET /api/courses/"),
        Step("GET /api/courses/{id}/", expect={"its owner may do all": 'body.rights.includes("manage")'}),
        Step("PATCH /api/courses/{id}/", {"description": "How an invented lighthouse is kept"}),
        Step(
            "POST /api/courses/{id}/members/",
            {"email": "{{member_email}}", "role": "student"},
            keep={"member_id": "body.id"},
        ),
        Step("GET /api/courses/{id}/members/", expect={"two people": "body.length === 2"}),
        Step(
            "PATCH /api/members/{id}/", {"role": "student"}, expect={"it is given": 'body.role === "student"'}
        ),
        Step(
            "POST /api/courses/{id}/invitations/",
            {"email": "guest@example.org", "role": "reviewer"},
            keep={"invitation_id": "body.id"},
            expect={"the link is shown once": 'body.link.includes("/join/")'},
        ),
        Step(
            "GET /api/courses/{id}/invitations/", expect={"it is open": "body.results[0].accepted === null"}
        ),
        Step(
            "POST /api/courses/{id}/services/",
            {"name": "Timetable sync", "role": "student"},
            keep={"service_id": "body.id"},
        ),
        Step("POST /api/services/{id}/tokens/", {"scopes": ["chat"], "days": 1}),
        Step("GET /api/courses/{id}/services/", keep={"service_token_id": "body[0].tokens[0].id"}),
        Step(
            "POST /api/courses/{id}/texts/",
            files=lighthouse(),
            keep={"text_id": "body.texts[body.texts.length - 1].id"},
            expect={"no file is refused": "body.problems.length === 0"},
        ),
        Step("GET /api/courses/{id}/texts/", expect={"all are there": "body.count === 9"}),
        Step("GET /api/texts/{id}/"),
        Step("GET /api/texts/{id}/passages/", expect={"it is cut": "body.count > 0"}),
    ],
    "3 Prepare: examples and a version": [
        Step(
            "POST /api/courses/{id}/datasets/",
            {"title": "The keeper answers", "instructions": "Answer as the keeper."},
            keep={"dataset_id": "body.id"},
        ),
        Step("GET /api/courses/{id}/datasets/"),
        Step(
            "PATCH /api/datasets/{id}/", {"instructions": "Answer as the old keeper of Thole Skerry Light."}
        ),
        Step("POST /api/datasets/{id}/build/", expect={"pairs are found": "body.made > 50"}),
        Step(
            "POST /api/datasets/{id}/import/",
            files=(("file", "docs/postman/examples.jsonl"),),
            expect={"every line is taken": "body.bad === 0 && body.added === 2"},
        ),
        Step(
            "POST /api/datasets/{id}/examples/",
            {"messages": [QUESTION, ANSWER]},
            keep={"example_id": "body.id"},
        ),
        Step("PATCH /api/examples/{id}/", {"messages": [QUESTION, BRIEFER]}),
        Step("POST /api/examples/{id}/reject/", {"note": "Name the tool."}),
        Step("POST /api/examples/{id}/approve/", {"note": "Good enough."}),
        Step("GET /api/examples/{id}/", expect={"it is approved": 'body.state === "approved"'}),
        Step("GET /api/datasets/{id}/examples/", query={"state": "draft"}),
        Step("POST /api/datasets/{id}/approve-drafts/", expect={"there were drafts": "body.approved > 50"}),
        Step("GET /api/datasets/{id}/", expect={"all are approved": "body.approved === body.total"}),
        Step("GET /api/datasets/{id}/export/"),
        Step("GET /api/datasets/{id}/personal/"),
        Step("POST /api/examples/{id}/redact/", codes=(200, 400)),
        Step(
            "POST /api/datasets/{id}/versions/",
            {"seed": 0, "validation": 0.1, "test": 0.1, "personal_ok": True},
            keep={"version_id": "body.id"},
            expect={"no near-copy stands in two splits": "body.checks.across_splits === 0"},
        ),
        Step("GET /api/datasets/{id}/versions/"),
        Step("GET /api/versions/{id}/"),
        Step("GET /api/versions/{id}/files/{split}/"),
    ],
    "4 Train": [
        Step(
            "GET /api/base-models/",
            keep={"base_model_id": 'body.find((row) => row.name === pm.environment.get("base_model")).id'},
        ),
        Step(
            "POST /api/versions/{id}/jobs/preview/",
            {"model": "{{base_model_id}}", "n_epochs": "1"},
            expect={"it says what for how much": "body.epochs === 1 && body.text.includes(body.formula)"},
        ),
        Step(
            "POST /api/versions/{id}/jobs/",
            {"model": "{{base_model_id}}", "n_epochs": "1", "suffix": "keeper"},
            keep={"job_id": "body.id"},
        ),
        Step("GET /api/courses/{id}/jobs/"),
        Step("GET /api/jobs/{id}/", wait=ENDED, expect={"it has succeeded": 'body.state === "succeeded"'}),
        Step("GET /api/jobs/{id}/events/", expect={"events came in": "body.count > 0"}),
        Step("GET /api/jobs/{id}/metrics/", expect={"metrics came in": "body.count > 0"}),
        Step(
            "GET /api/jobs/{id}/checkpoints/",
            keep={"checkpoint_id": "body[0].id"},
            expect={"one an epoch": "body.length === 1"},
        ),
        Step("POST /api/checkpoints/{id}/promote/"),
        Step("GET /api/courses/{id}/models/", keep={"model_id": "body.results[0].id"}),
        Step("GET /api/models/{id}/"),
        Step(
            "POST /api/models/{id}/deployments/",
            {},
            keep={"deployment_id": "body.id"},
            expect={"it is up": 'body.state === "ready"'},
        ),
        Step("GET /api/models/{id}/deployments/"),
        Step("GET /api/deployments/{id}/"),
        Step(
            "POST /api/deployments/{id}/name/",
            {"name": "mine"},
            codes=(400,),
            name="Name, where it has one: refused",
        ),
    ],
    "5 Evaluate": [
        Step("POST /api/models/{id}/evaluations/", {"most": 4}, keep={"evaluation_id": "body.id"}),
        Step("GET /api/courses/{id}/evaluations/"),
        Step(
            "GET /api/evaluations/{id}/",
            wait='body.state !== "running"',
            expect={
                "there is a verdict for each measure": 'body.state === "done" && body.verdicts.length === 2'
            },
        ),
        Step("GET /api/courses/{id}/parity/", query={"a": "0", "b": "0"}, codes=(400, 404)),
        Step("POST /api/courses/{id}/parity/", {"a": 0, "b": 0}, codes=(400, 404)),
        Step("GET /api/evaluations/{id}/answers/", expect={"both sides answered": "body.count === 8"}),
    ],
    "6 Use": [
        Step(
            "POST /api/models/{id}/assistants/",
            {"title": "The keeper"},
            keep={"assistant_id": "body.id", "assistant_model": "body.model"},
        ),
        Step("POST /api/assistants/{id}/publish/"),
        Step("GET /api/assistants/{id}/", expect={"it is open": 'body.state === "published"'}),
        Step("GET /api/courses/{id}/assistants/"),
        Step("GET /api/v1/models", expect={"it is among them": "body.data.length > 0"}),
        Step("GET /api/v1/models/{name}"),
        Step(
            "POST /api/v1/chat/completions",
            {"model": "{{assistant_model}}", "messages": [QUESTION], "max_tokens": 40},
            expect={"it answers": 'typeof body.choices[0].message.content === "string"'},
        ),
    ],
    "7 Keep in order": [
        Step(
            "GET /api/courses/{id}/notices/",
            keep={"notice_id": "body.results.length ? body.results[0].id : 0"},
        ),
        Step("POST /api/notices/{id}/put-away/", codes=(200, 204, 404)),
        Step(
            "PUT /api/courses/{id}/webhook/",
            {"url": "https://hooks.example.com/coursetune"},
            expect={"its secret is told": 'body.secret.startsWith("whsec_")'},
        ),
        Step("GET /api/courses/{id}/webhook/", expect={"and never again": 'body.secret === ""'}),
        Step("POST /api/courses/{id}/webhook/test/", codes=(201,)),
        Step("GET /api/courses/{id}/webhook/calls/"),
        Step("POST /api/courses/{id}/webhook/secret/"),
        Step("DELETE /api/courses/{id}/webhook/", codes=(204,)),
        Step("GET /api/courses/{id}/audit/", expect={"what was done is there": "body.count > 20"}),
        Step("GET /api/courses/{id}/audit.csv"),
        Step("PUT /api/courses/{id}/budget/", {"month": "2099-12", "limit": "12.50"}),
        Step("GET /api/courses/{id}/costs/"),
        Step("GET /api/courses/{id}/costs.csv"),
        Step("POST /api/jobs/{id}/approve/", codes=(400, 409)),
        Step("POST /api/jobs/{id}/retry/", codes=(201, 400)),
        Step("POST /api/jobs/{id}/take-up/", codes=(200, 400)),
        Step("POST /api/jobs/{id}/pause/", codes=(409,)),
        Step("POST /api/jobs/{id}/resume/", codes=(409,)),
        Step(
            "GET /api/courses/{id}/jobs/compare/",
            query={"job": "{{job_id}}"},
            codes=(400,),
            name="Compare one job: two to six are wanted",
        ),
        Step("POST /api/assistants/{id}/approve/", codes=(400, 409)),
        Step("POST /api/assistants/{id}/archive/"),
        Step("POST /api/assistants/{id}/restore/", expect={"it is a draft": 'body.state === "draft"'}),
        Step("POST /api/courses/{id}/hand-over/", {"member": 0}, codes=(400,), name="Hand over, to nobody"),
        Step("PUT /api/courses/{id}/two-person/", {"two_person": True}),
    ],
    "8 Undo": [
        Step("POST /api/jobs/{id}/cancel/", codes=(200, 409)),
        Step("POST /api/evaluations/{id}/cancel/", codes=(200, 409)),
        Step("POST /api/assistants/{id}/withdraw/", codes=(200, 409)),
        Step("POST /api/deployments/{id}/remove/", codes=(200, 409)),
        Step("DELETE /api/examples/{id}/", codes=(204, 404)),
        Step("DELETE /api/texts/{id}/", codes=(204, 404)),
        Step("DELETE /api/invitations/{id}/", codes=(204, 404)),
        Step("DELETE /api/services/{id}/tokens/{token}/", codes=(204, 404)),
        Step("DELETE /api/services/{id}/", codes=(204, 404)),
        Step("DELETE /api/members/{id}/", codes=(204, 404)),
        Step("POST /api/courses/{id}/leave/", codes=(400,), name="Leave, as the last owner: refused"),
        Step("DELETE /api/me/", codes=(400,), name="Delete the own account, as the last owner: refused"),
        Step("DELETE /api/courses/{id}/", codes=(204, 400)),
        Step("DELETE /api/sessions/{id}/", codes=(204, 404)),
        Step("DELETE /api/tokens/{id}/", codes=(204, 404)),
    ],
}


class NotPlaced(Exception):
    """The schema and the table differ; the text names the endpoints."""


def operations() -> dict:
    """{"METHOD path": operation} of the OpenAPI schema."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def collection() -> str:
    known = operations()
    placed = [step.call for steps in WALK.values() for step in steps]
    if strange := sorted(set(known) ^ set(placed)):
        raise NotPlaced(f"Bring config/postman.py up to date for {', '.join(strange)}.")
    info = {"_postman_id": _id("collection"), "name": "CourseTune", "description": ABOUT, "schema": FORMAT}
    bearer = [{"key": "token", "value": "{{token}}", "type": "string"}]
    folders = [
        {"name": name, "item": [_item(step, known[step.call]) for step in steps]}
        for name, steps in WALK.items()
    ]
    return _json({"info": info, "auth": {"type": "bearer", "bearer": bearer}, "item": folders})


def environment() -> str:
    kept = {name: "" for steps in WALK.values() for step in steps for name in step.keep}
    values = [
        {"key": name, "value": value, "type": "secret" if name in SECRET else "default", "enabled": True}
        for name, value in {**ENVIRONMENT, **kept}.items()
    ]
    return _json({"id": _id("environment"), "name": "CourseTune", "values": values,
                  "_postman_variable_scope": "environment"})  # fmt: skip


def _id(name):
    return str(uuid5(NAMESPACE_URL, f"coursetune/postman/{name}"))


def _json(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _item(step, operation):
    method, path = step.call.split()
    about = operation.get("description", "")
    name = step.name or re.split(r"[.;]\s|[.;]$", about)[0]
    request = {"method": method, "header": [], "url": _url(path, operation, step.query), "description": about}
    if step.call == "POST /api/sign-in/":
        request["auth"] = {"type": "noauth"}
    if step.files:
        form = [{"key": key, "type": "file", "src": source} for key, source in step.files]
        request["body"] = {"mode": "formdata", "formdata": form}
    elif step.body is not None:
        raw = json.dumps(step.body, indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    script = {"type": "text/javascript", "exec": _tests(step, operation)}
    return {"name": name, "event": [{"listen": "test", "script": script}], "request": request, "response": []}


def _url(path, operation, query):
    """`/api/jobs/{id}/` becomes `{{base_url}}/api/jobs/{{job_id}}/`, with its parameters to switch on."""
    row = path.split("/")[2].removesuffix("s")
    parts = [
        FIXED.get(part[1:-1], f"{{{{{row}_id}}}}") if part.startswith("{") else part
        for part in path.strip("/").split("/")
    ]
    if path.endswith("/"):
        parts.append("")
    asked = [
        {"key": each["name"], "value": query.get(each["name"], ""), "disabled": each["name"] not in query}
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    ]
    on = "&".join(f"{name}={value}" for name, value in query.items())
    raw = "{{base_url}}/" + "/".join(parts) + (f"?{on}" if on else "")
    url = {"raw": raw, "host": ["{{base_url}}"], "path": parts}
    return url | ({"query": asked} if asked else {})


def _tests(step, operation):
    """The script that runs after the answer: the status, what is kept, what must be true, and the waiting."""
    codes = list(step.codes) or [int(code) for code in operation["responses"] if code.startswith("2")]
    lines = [
        f'pm.test("status {" or ".join(map(str, codes))}", () => pm.expect(pm.response.code).to.be.oneOf({codes}));'
    ]
    if step.keep or step.expect or step.wait:
        lines.append("const body = pm.response.json();")
    lines += [f'pm.environment.set("{name}", {value});' for name, value in step.keep.items()]
    told = [f'pm.test("{text}", () => pm.expect({true}).to.be.true);' for text, true in step.expect.items()]
    if not step.wait:
        return lines + told
    again = ["  pm.execution.setNextRequest(pm.info.requestName);", f"  setTimeout(() => {{}}, {PAUSE});"]
    return [
        *lines,
        f"if (pm.response.code === 200 && !({step.wait})) {{",
        *again,
        "} else {",
        *(f"  {line}" for line in told),
        "}",
    ]
