"""Every setting, from the environment. docs/settings.md explains each one."""

from datetime import timedelta
from pathlib import Path

from config import env

ROOT = Path(__file__).resolve().parents[2]

# --- What must be said ---------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
SERVED_UNDER = env.path_prefix("SERVED_UNDER")
FORCE_SCRIPT_NAME = SERVED_UNDER or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{SERVED_UNDER}/"
SECURE_SSL = env.flag("SECURE_SSL", True)

# --- Composition ---------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "cases",
    "inference",
    "webhooks",
    "notices",
    "audit",
    "blobs",
    "accounts",
    "language",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "django_filters",
    "allauth",
    "allauth.account",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "config.middleware.answer_probes",
    "accounts.middleware.believe_proxies",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.refuse_what_is_no_text",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.own_time_zone",
    "accounts.middleware.own_language",
    "audit.middleware.trace_request",
    "config.refused.note_refused_access",
    "config.middleware.StorageFaults",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "accounts.context.roles",
                "notices.context.bell",
            ],
        },
    }
]

# --- Where things live -----------------------------------------------------------------
DATABASES = {
    "default": env.database("DATABASE_URL")
    | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BLOB_ROOT = env.text("BLOB_ROOT", str(ROOT / "data" / "blobs"))
DISK_RESERVE_BYTES = env.integer("DISK_RESERVE_MIB", 1024) * 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing may land outside blobs
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "blobs": {
        "BACKEND": "blobs.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": BLOB_ROOT},
    },
}
STATIC_URL = f"{SERVED_UNDER}/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(ROOT / "staticfiles"))
STATICFILES_DIRS = [ROOT / "static"]

# --- Who you are -----------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.Limits",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": "accounts.installation.PublishedPassword"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "cases:worklist"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_FORMS = {"change_password": "config.password_pages.ChangePasswordForm"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = False  # accounts.limits counts in the database, shared by all processes
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "ventra_session"

# --- The API ---------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.BoundedJSONParser"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would list the choices of every field
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "config.schema.DocumentedErrors",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.api.KeysetPages",
    "EXCEPTION_HANDLER": "config.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105  # a table
REST_KNOX = {
    "TOKEN_PREFIX": "ventra_",
    "TOKEN_TTL": timedelta(days=90),
    "AUTO_REFRESH": False,
}
API_SCHEMA = ROOT / "docs" / "openapi.yaml"  # made by `manage.py spectacular`; ./test --checks compares
SPECTACULAR_SETTINGS = {
    "TITLE": "Ventra API",
    "VERSION": "1",
    "DESCRIPTION": (
        "Open a case, submit a scan, watch its jobs, read predictions and heatmaps. "
        "Research and decision support, not a cleared device."
    ),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": SERVED_UNDER}] if SERVED_UNDER else [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobKindEnum": "inference.models.Job.Kind",
        "ReadKindEnum": "cases.models.Read.Kind",
        "UnseenReason": "cases.models.AtriumStatement.Reason",
        "WithdrawalReason": "cases.models.ScanWithdrawal.Reason",
        "Modality": "inference.models.Image.Modality",
        "JobState": "inference.models.Job.State",
        "ProposedSide": "inference.api.measured.SIDES",
        "AtriumSide": "cases.models.AtriumStatement.Side",
    },
}

# --- The queue -------------------------------------------------------------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL")
JOB_QUEUE = env.text("JOB_QUEUE", "inference")
JOB_LEASE_SECONDS = env.integer("JOB_LEASE_SECONDS", 30)
JOB_SWEEP_SECONDS = env.integer("JOB_SWEEP_SECONDS", 5)
JOB_LOST_FILE_HOURS = env.integer("JOB_LOST_FILE_HOURS", 24)
JOB_BATCH = env.integer("JOB_BATCH", 8)
JOB_MAX_ATTEMPTS = 3
# Seconds that a job of each kind may compute; a training, between two steps that it tells of.
JOB_DEADLINES = env.integers(
    "JOB_DEADLINES",
    {"predict": 300, "shadow": 300, "explain": 900, "repeat": 1800, "check": 300, "train": 6 * 3600},
)
SERVICE_ACCOUNT_JOBS = env.integer("SERVICE_ACCOUNT_JOBS", 5000)
JOB_STOP_SECONDS = env.integer("JOB_STOP_SECONDS", 5)
TRAINING_QUEUE = env.text("TRAINING_QUEUE", "training")
ADVICE_RULES = env.text("ADVICE_RULES", "")
TRAINING_DATA_DIR = env.text("TRAINING_DATA_DIR", "")
WEIGHTS_DIR = env.text("WEIGHTS_DIR", "")
# Beside the blobs, where web and workers both reach it: uploads until they are checked, checkpoints.
WORK_ROOT = env.text("WORK_ROOT", str(Path(BLOB_ROOT) / "work"))
ENGINE_THREADS = env.integer("ENGINE_THREADS", 1)

# --- Webhooks --------------------------------------------------------------------------
WEBHOOK_QUEUE = env.text("WEBHOOK_QUEUE", "webhooks")
WEBHOOK_ALLOWED_HOSTS = env.listing("WEBHOOK_ALLOWED_HOSTS")
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")
WEBHOOK_ALLOW_HTTP = env.flag("WEBHOOK_ALLOW_HTTP", False)
WEBHOOK_CA_FILE = env.text("WEBHOOK_CA_FILE", "")
WEBHOOK_TIMEOUT_SECONDS = 5.0  # to connect, and for each silence; twice that for all of it

# --- Uploads ---------------------------------------------------------------------------
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_MIB", 256) * 1024 * 1024
MAX_SESSION_BYTES = env.integer("MAX_SESSION_MIB", 1024) * 1024 * 1024  # all files of one upload session
MAX_REQUEST_BYTES = env.integer("MAX_REQUEST_MIB", 2560) * 1024 * 1024  # all files of one request together
FILE_UPLOAD_HANDLERS = [
    "cases.upload_names.RepairedNames",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "config.upload_files.UnnamedFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # everything of a request that is not a file

# --- Safe by default -------------------------------------------------------------------
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_HSTS_SECONDS = 31536000 if SECURE_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_SSL
SECURE_HSTS_PRELOAD = SECURE_SSL
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
if env.flag("BEHIND_TLS_PROXY", False):
    env.need(
        TRUSTED_PROXIES, "BEHIND_TLS_PROXY=1 believes those proxies alone that TRUSTED_PROXIES names: set it."
    )
    SECURE_PROXY_SSL_HEADER = (
        "HTTP_X_FORWARDED_PROTO",
        "https",
    )  # accounts.middleware lets no other's through
X_FRAME_OPTIONS = "DENY"

# --- Words and times -------------------------------------------------------------------
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = "language.formats"
LANGUAGE_COOKIE_NAME = "ventra_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE_SSL
TIME_ZONE = "UTC"
USE_TZ = True

# --- Watched by operators --------------------------------------------------------------
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"about": {"()": "config.log_lines.About"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "config.log_lines.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.choice("LOG_FORMAT", "line", ("line", "json")),
            "filters": ["about"],
        }
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
