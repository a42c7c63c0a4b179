"""Two courses with one row of everything on each, and everybody who might come to an address."""

import re
from copy import copy

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tokens import make_token
from courses.models import Course
from datasets.models import Dataset
from evaluation.models import Evaluation
from tests import factories
from tests.accounts.belongings import a_row_of_each_model
from tests.accounts.matrix import methods_of

MARKER = "markerb"
PASSWORD = "a lamp on the far rock"
SEGMENT = re.compile(r"([\w-]+)/<(\w+)>")
# What a page answers besides GET, where its view is a function that does not say.
GET_ONLY, POST_ONLY = ["GET"], ["POST"]


class Side:
    """One course and what lies below it."""

    def __init__(self, title, owner, student, mark=""):
        self.course = factories.make_course(owner=owner, title=f"{title} {mark}".strip(), student=student)
        for name, content in factories.TEXTS.items():
            words = content.replace("the ", f"the {mark} ") if mark else content
            factories.make_text(course=self.course, name=f"{mark}{name}", content=words, by=owner)
        self.dataset = Dataset.objects.start(
            self.course, f"Answers {mark}", factories.INSTRUCTIONS + mark, by=owner
        )
        self.dataset.build(by=owner)
        self.dataset.approve_drafts(by=owner)
        self.version = factories.make_version(dataset=self.dataset, by=owner)
        rows = a_row_of_each_model(self.dataset, self.version, owner, student)
        self.rows = {type(row).__name__: row for row in rows}
        self.rows["Assistant"].publish(by=owner)
        self.secret = self.course.invite(f"guest{mark}@example.org", "student", by=owner)[1]
        self.service = self.rows["Service"]
        self.service_token = make_token(self.service, 5, ["read"], [self.course], by=owner)[0]
        self.token = make_token(owner, 5, name=mark)[0]
        self.session = UserSession.objects.create(
            user=owner, ip="127.0.0.1", session_key=f"session{mark}", user_agent=f"browser {mark}"
        )

    def keys(self):
        """What stands in an address behind each word."""
        row = self.rows
        return {
            "courses": self.course.pk, "texts": row["Text"].pk, "members": row["Membership"].pk,
            "invitations": row["Invitation"].pk, "join": self.secret, "services": self.service.pk,
            "datasets": self.dataset.pk, "examples": row["Example"].pk, "imports": row["Import"].pk,
            "versions": self.version.pk, "jobs": row["Job"].pk, "models": row["TunedModel"].pk,
            "deployments": row["Deployment"].pk, "checkpoints": row["Checkpoint"].pk,
            "evaluations": row["Evaluation"].pk, "assistants": row["Assistant"].pk, "messages": row["Message"].pk,
            "notices": row["Notice"].pk, "tokens": self.token.pk, "sessions": self.session.pk,
        }  # fmt: skip


class World:
    def __init__(self):
        self.people = {
            name: factories.make_user(email=f"{name.replace(' ', '.')}@example.org", password=PASSWORD, **fields)
            for name, fields in {
                "no role": {}, "student": {}, "reviewer": {}, "editor": {}, "staff": {"is_staff": True},
                "owner of A": {"is_instructor": True}, "owner of B": {"is_instructor": True},
                "superuser": {"is_staff": True, "is_superuser": True}, "inactive": {},
            }.items()
        }  # fmt: skip
        person = self.people
        self.a = Side("Course A", person["owner of A"], person["student"])
        self.b = Side("Course B", person["owner of B"], factories.make_user(), MARKER)
        for name in ("reviewer", "editor"):
            self.a.course.set_role(person[name], name, by=person["owner of A"])
        self.a.course.set_role(person["inactive"], "owner", by=person["owner of A"])
        self.group = Group.objects.create(name="inspectors")
        self.both = factories.make_user(email="both@example.org")
        factories.make_user(is_staff=True, is_superuser=True)  # else the superuser is the last one, who stays
        for side in (self.a, self.b):
            side.course.set_role(self.both, "owner", by=person["owner of A"])
        User.objects.filter(pk=person["inactive"].pk).update(is_active=False)
        self.clients = {name: self.client(name) for name in ["anonymous", *person, "token of A"]}

    def grow(self):
        """More of everything on course A."""
        owner, course = self.people["owner of A"], self.a.course
        for number in range(4):
            course.set_role(factories.make_user(name=f"Member {number}"), "editor", by=owner)
            course.invite(f"more{number}@example.org", "student", by=owner)
            service = course.add_service(f"Program {number}", "student", by=owner)
            make_token(service, 3, ["read"], [course], by=owner)
            make_token(owner, 3, courses=[course])
            factories.make_text(
                course=course, name=f"more{number}.md", content=f"# More {number}\n\nOil {number}."
            )
            dataset = factories.make_dataset(course=course, title=f"More {number}")
            dataset.take_in("bad.jsonl", b"{}")
            for _turn in range(3):
                factories.make_example(dataset=self.a.dataset, by=owner)
            version = factories.make_version(dataset=self.a.dataset, by=owner)
            tuned = factories.make_tuned_model(job=factories.make_job(version=version, by=owner))
            Evaluation.objects.start(tuned, by=owner)
            factories.make_assistant(tuned_model=tuned, published=True, by=owner)
            factories.make_course(owner=owner, title=f"Course {number}")

    def client(self, name):
        """(for pages, for the API): with a session and with a token."""
        browser, program = Client(raise_request_exception=False), APIClient(raise_request_exception=False)
        if name == "token of A":
            secret = make_token(self.both, 5, courses=[self.a.course])[1]
            browser = Client(headers={"authorization": f"Bearer {secret}"}, raise_request_exception=False)
        elif name != "anonymous":
            browser.force_login(self.people[name], backend="django.contrib.auth.backends.ModelBackend")
            secret = make_token(self.people[name], 5)[1]
        if name != "anonymous":
            program.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return browser, program

    def methods(self, address, callback):
        known = methods_of(callback)
        if known is not None:
            return [name for name in known if name not in ("PUT",) or address.startswith("/api/")]
        if address.startswith("/admin/"):
            return GET_ONLY
        return [name for name in ("GET", "POST") if self.takes(name, address)]

    def takes(self, method, address):
        """A function that refuses a method says 405 to whoever owns the object."""
        return self.call("superuser", method, address).status_code != 405

    def path(self, address, side=None):
        """The address with keys in it, or None where this product has no such object."""
        side = side or self.a
        keys = side.keys()
        path = SEGMENT.sub(
            lambda found: f"{found[1]}/{self.key(found[1], found[2], keys, side, address)}", address
        )
        if "<object_id>" in path:
            path = path.replace("<object_id>", str(self.admin_key(address, side)))
        path = path.replace("<content_type_id>", str(ContentType.objects.get_for_model(Course).pk))
        path = path.replace("<app_label>", "courses").replace("<url>", "nowhere")
        path = path.replace("<object_pk>", str(side.course.pk)).replace(
            "<user_id>", str(self.people["editor"].pk)
        )
        path = path.replace("<group_id>", str(self.group.pk)).replace("<token>", str(side.service_token.pk))
        return path.replace("<decision>", "approve").replace("<side>", "tuned")

    def key(self, segment, name, keys, side, address):
        if name == "split":
            return "train"
        if name == "name":
            return side.rows["Assistant"].api_name
        if name == "token":
            return side.service_token.pk
        if address.startswith("/admin/"):
            return f"<{name}>"
        return keys.get(segment, "1")

    def admin_key(self, address, side):
        if address.startswith("/admin/r/"):
            return side.course.pk
        model = apps.get_model(*address.split("/")[2:4])
        row = side.rows.get(model.__name__) or model._base_manager.order_by("pk").first()
        return row.pk if row else 1

    def call(self, person, method, address, side=None, body=None):
        """The answer to this person; whatever it changed is taken back."""
        browser, program = self.clients[person]
        client = program if address.startswith("/api/") else browser
        cache.clear()
        if body is None:
            body = BODIES.get((method, address), dict)()
        files = any(
            hasattr(value, "read")
            for each in body.values()
            for value in (each if isinstance(each, list) else [each])
        )
        options = (
            {"format": "multipart" if files else "json"} if client is program and method != "GET" else {}
        )
        cookies = copy(client.cookies)
        with transaction.atomic():
            answer = getattr(client, method.lower())(
                self.path(address, side), body if method != "GET" else {}, **options
            )
            read(answer)
            transaction.set_rollback(True)
        client.cookies = cookies
        return answer


def read(answer):
    """Its body, that of a stream as well, kept as `answer.said`."""
    answer.said = b"".join(answer).decode(errors="replace")


def a_text():
    return {"files": [SimpleUploadedFile("new.md", b"# New\n\nA new text of the course.\n")]}


def a_jsonl():
    line = b'{"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]}\n'
    return {"file": SimpleUploadedFile("new.jsonl", line)}


CHAT = [{"role": "user", "content": "What burns?"}, {"role": "assistant", "content": "Oil burns in it."}]
BODIES = {
    ("POST", "/api/courses/"): lambda: {"title": "New", "language": "en"},
    ("PATCH", "/api/courses/<pk>/"): lambda: {"title": "Other"},
    ("POST", "/api/courses/<pk>/members/"): lambda: {"email": "no.role@example.org", "role": "student"},
    ("PATCH", "/api/members/<pk>/"): lambda: {"role": "reviewer"},
    ("PUT", "/api/courses/<pk>/two-person/"): lambda: {"two_person": True},
    ("POST", "/api/courses/<pk>/invitations/"): lambda: {"email": "x@example.org", "role": "student"},
    ("POST", "/api/courses/<pk>/services/"): lambda: {"name": "Sync", "role": "student"},
    ("POST", "/api/services/<pk>/tokens/"): lambda: {"scopes": ["read"]},
    ("POST", "/api/courses/<pk>/texts/"): a_text,
    ("POST", "/api/courses/<pk>/datasets/"): lambda: {"title": "Other"},
    ("POST", "/api/datasets/<pk>/import/"): a_jsonl,
    ("POST", "/api/datasets/<pk>/examples/"): lambda: {"messages": CHAT},
    ("PATCH", "/api/examples/<pk>/"): lambda: {"messages": CHAT},
    ("POST", "/api/datasets/<pk>/versions/"): lambda: {"personal_ok": True},
    ("POST", "/api/tokens/"): lambda: {"days": 3},
    ("POST", "/courses/new/"): lambda: {"title": "New", "language": "en"},
    ("POST", "/courses/<pk>/texts/upload/"): a_text,
    ("POST", "/courses/<pk>/members/"): lambda: {"email": "no.role@example.org", "role": "student"},
    ("POST", "/courses/<pk>/services/"): lambda: {"name": "Sync", "role": "student"},
    ("POST", "/courses/<pk>/settings/"): lambda: {"title": "Other", "language": "en"},
    ("POST", "/courses/<pk>/datasets/"): lambda: {"title": "Other"},
    ("PUT", "/api/courses/<pk>/webhook/"): lambda: {"url": "http://127.0.0.1:9/other"},
    ("POST", "/courses/<pk>/webhook/"): lambda: {"url": "http://127.0.0.1:9/other"},
    ("POST", "/datasets/<pk>/import/"): a_jsonl,
    ("POST", "/profile/"): lambda: {"name": "Other", "language": "en"},
}
