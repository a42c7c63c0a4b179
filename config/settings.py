"""All settings. The environment comes in here and nowhere else; .env.example lists what it may hold.

Without any of it the embedded default runs: SQLite, the broker and the engine on this machine.
"""

import sys
from ipaddress import ip_network

import environ
import structlog
from celery.schedules import crontab
from cryptography.fernet import Fernet, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.keys import ROOT, VAR, key

env = environ.Env()
environ.Env.read_env(ROOT / ".env")

# What may be forgotten on a laptop and must be named on a server.
PUBLIC = env.bool("PUBLIC", default=False)
TOLD_TO_ALL = ("insecure", "example", "change-me", "changeme", "secret-key", "secret_key")


def secret(name, file):
    value = env.str(name, default="")
    if not value and PUBLIC:
        raise ImproperlyConfigured(f"{name} must be set where PUBLIC=true.")
    if value and len(value) < 32:
        raise ImproperlyConfigured(f"{name} is shorter than 32 characters.")
    if PUBLIC and (len(set(value)) < 10 or any(word in value.lower() for word in TOLD_TO_ALL)):
        raise ImproperlyConfigured(f"{name} looks like an example. Make one of your own, at random.")
    return value or key(file)


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY", "secret_key")
FIELD_KEYS = [each.strip() for each in secret("FIELD_KEYS", "field_key").split(",")]
try:
    MultiFernet([Fernet(each) for each in FIELD_KEYS])
except ValueError as error:
    raise ImproperlyConfigured(f"FIELD_KEYS must be Fernet keys, by comma: {error}") from error
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PUBLIC and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts where PUBLIC=true.")
# Where the links in mails lead.
OWN_URL = (
    f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PUBLIC else f"http://127.0.0.1:{env.int('WEB_PORT', 8000)}"
)
SITE_URL = env.str("SITE_URL", default="") or OWN_URL

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "guardian",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "common",
    "accounts",
    "courses",
    "providers",
    "datasets",
    "finetuning",
    "evaluation",
    "assistants",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.request.tell_origin",
    "common.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.see_sessions",
    "accounts.middleware.speak_their_language",
    "accounts.middleware.go_by_their_clock",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SecondFactorFirst",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "common.middleware.Refusals",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["common.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "common.forms.Renderer"

DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{VAR / 'db.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or "redis://127.0.0.1:6379/0"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=2.0)
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": schedule, "options": {"expires": expires}}
    for name, schedule, expires in (
        ("finetuning.sweep", SWEEP_SECONDS, 30),
        ("finetuning.sweep_deployments", SWEEP_SECONDS, 30),
        ("evaluation.sweep", SWEEP_SECONDS, 30),
        ("courses.post", 30.0, 30),
        ("providers.call_hooks", 30.0, 30),
        ("providers.check_models", 3600.0, 600),
        ("providers.settle_forgotten", 600.0, 300),
        ("finetuning.tidy", 600.0, 300),
        ("providers.forget_deliveries", crontab(hour=4, minute=0), 3600),
        ("finetuning.watch", crontab(hour=5, minute=0), 3600),
    )
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = LOGOUT_REDIRECT_URL = "sign_in"
LOGIN_REDIRECT_URL = "courses"
PASSWORD_RESET_TIMEOUT = 3600
SECOND_FACTOR_FOR_STAFF = env.bool("SECOND_FACTOR_FOR_STAFF", default=False)

ACCOUNT_ADAPTER = "accounts.adapter.Door"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "user_token": "accounts.forms.ResetLinkForm",
}
ACCOUNT_RATE_LIMITS = {  # in five minutes, by address, by person, and by what is tried: see accounts/throttling.py
    "login": "300/5m/ip",
    "login_failed": "50/5m/ip,5/5m/key",
    "reset_password": "30/5m/ip,3/5m/key",
    "reset_password_from_key": "30/5m/ip",
    "reauthenticate": "20/5m/user",
    "change_password": "10/5m/user",
}
MFA_ADAPTER = "accounts.adapter.SecondFactor"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.ReauthenticateByCodeForm",
    "activate_totp": "accounts.forms.ActivateForm",
}

# Without a mail server, mails lie as files in a folder that only the owner of this installation reads.
EMAIL_BACKEND = "accounts.mailbox.Folder"
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 20
if EMAIL_URL := env.str("EMAIL_URL", default=""):
    globals().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="CourseTune <coursetune@localhost>")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "common.api.Pages",
    "EXCEPTION_HANDLER": "common.api.refuse",
}
KNOX_TOKEN_MODEL = "accounts.Token"
MIGRATION_MODULES = {"knox": None}  # they would make its own table of tokens, which ours replaces
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None, "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "CourseTune",
    "DESCRIPTION": "Course texts become a chat data set, the data set tunes a model, the model is put to use.",
    "VERSION": "1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "JobStateEnum": "finetuning.states.JobState",
        "DeploymentStateEnum": "finetuning.tuned.DeploymentState",
        "EvaluationStateEnum": "evaluation.states.EvaluationState",
        "ExampleStateEnum": "datasets.states.ExampleState",
        "RoleEnum": "accounts.roles.Role",
        "NoticeKindEnum": "courses.notices.Kind",
        "PersonalKindEnum": "common.personal.Kind",
        "MessageRoleEnum": "datasets.formats.ROLE_CHOICES",
        "CourseLanguageEnum": "courses.models.LANGUAGES",
        "PersonLanguageEnum": "accounts.models.LANGUAGES",
        "AssistantStateEnum": "assistants.models.AssistantState",
    },
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = not PUBLIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PUBLIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = VAR / "media"
RANKS_DIR = VAR / "tiktoken"
MAX_TEXT_BYTES = env.int("MAX_TEXT_BYTES", default=10 * 1024**2)
MAX_JSONL_BYTES = env.int("MAX_JSONL_BYTES", default=20 * 1024**2)
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024**2

ENGINE_URL = env.str("ENGINE_URL", default=f"http://127.0.0.1:{env.int('ENGINE_PORT', default=8010)}/v1")
ENGINE_KEY = env.str("ENGINE_KEY", default="") or key("engine_key")
# Hosts and networks that need be neither public nor https: host, host:port, 10.0.0.0/8, by comma.
HERE = [] if PUBLIC else ["127.0.0.1", "localhost", "[::1]"]
PROVIDER_HOSTS = env.list("PROVIDER_HOSTS", default=HERE)
WEBHOOK_HOSTS = env.list("WEBHOOK_HOSTS", default=HERE)
try:
    [ip_network(each) for each in PROVIDER_HOSTS + WEBHOOK_HOSTS if "/" in each]
except ValueError as error:
    raise ImproperlyConfigured(f"PROVIDER_HOSTS or WEBHOOK_HOSTS: {error}.") from error
LEASE_SECONDS = env.int("LEASE_SECONDS", default=150)
CONFIRM_AFTER_SECONDS = env.int("CONFIRM_AFTER_SECONDS", default=120)
REMOTE_FILES_DAYS = env.int("REMOTE_FILES_DAYS", default=30)

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PUBLIC else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PUBLIC
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": structlog.stdlib.ProcessorFormatter,
            # The fuller traceback would print local variables, and with them secrets.
            "processor": structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
            "foreign_pre_chain": [structlog.stdlib.add_log_level, structlog.processors.TimeStamper("iso")],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "httpx2": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso"),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
