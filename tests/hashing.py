from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The product's own, with the least work that it allows: tests sign in hundreds of times."""

    time_cost, memory_cost, parallelism = 1, 8, 1
