from django.core.management.base import CommandError

from config import postman
from config.generated import GeneratedFiles


class Command(GeneratedFiles):
    help = "Write the Postman collection and its environment from the OpenAPI schema."
    command = "make_postman"

    def files(self):
        try:
            collection = postman.collection()
        except postman.NotPlaced as problem:
            raise CommandError(str(problem)) from problem
        return {
            "docs/postman/coursetune.postman_collection.json": collection,
            "docs/postman/coursetune.postman_environment.json": postman.environment(),
        }
