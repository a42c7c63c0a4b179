from django.core.management.base import BaseCommand

from accounts.models import User
from config.journey import Folder, bring_course, build_examples
from config.keys import ROOT, key
from courses.models import Course

PEOPLE = {
    "instructor@example.com": {"name": "Ada Instructor", "is_instructor": True},
    "student@example.com": {"name": "Sam Student"},
    "staff@example.com": {"name": "Stella Staff", "is_staff": True, "is_superuser": True},
}


class Command(BaseCommand):
    help = "Make the demo people and courses. Their password stands in var/demo_password."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="only where nobody is there yet")

    def handle(self, *args, if_empty, **options):
        if if_empty and User.objects.exists():
            return
        owner = demo_people()["instructor@example.com"]
        for folder in ("lighthouse", "bells"):
            folder = Folder.read(ROOT / "demo" / folder)
            course = bring_course(folder, owner)
            build_examples(course, folder.instructions, owner)
            course.set_role(User.objects.get(email="student@example.com"), "student", by=owner)
            self.stdout.write(
                f"{course}: {Course.objects.with_progress().get(pk=course.pk).text_count} texts"
            )


def demo_people() -> dict:
    """{email: person}, made where they are missing."""
    password, people = key("demo_password", 9), {}
    for email, fields in PEOPLE.items():
        known = User.objects.filter(email=email).first()
        people[email] = known or User.objects.create_user(email, password, **fields)
    return people
