"""The product's settings, in a home of the tests' own: a run touches neither var/ nor a broker that stands here."""

import os
from tempfile import TemporaryDirectory

if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker shares the home of the run that started it
    _home = TemporaryDirectory(prefix="coursetune-tests-")
    os.environ["COURSETUNE_HOME"] = _home.name
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", f"{_home.name}/tiktoken")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"  # what a program that a test starts runs on
os.environ["PUBLIC"] = "false"
# No test cuts the power of PostgreSQL's machine.
os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")

from config.settings import *  # noqa: F403
from config.settings import DATABASES, VAR

REDIS_URL = CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
WHITENOISE_AUTOREFRESH = True  # else each test client walks through all static files first
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # a file with WAL as in use, so that threads may meet
    DATABASES["default"]["TEST"] = {"NAME": VAR / "test.sqlite3"}
PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
