"""Settings, read once from the environment. `.env.example` lists every variable."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.database import development_secrets, embedded
from config.logs import logging_settings
from config.operations.jobs import crontab

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- What kind of installation this is ---------------------------------------------------------------------------

TESTING = "pytest" in sys.modules
# Nothing configured means somebody tries Steward on their own machine.
IS_EMBEDDED = not env.str("DATABASE_URL", "")
DEBUG = env.bool("DEBUG", IS_EMBEDDED and not env.str("SECRET_KEY", ""))
DATA_FOLDER = embedded.data_folder()
RELEASE = env.str("RELEASE", "")

if DEBUG or TESTING:
    for name, value in development_secrets.load_or_create(DATA_FOLDER).items():
        os.environ.setdefault(name, value)


def required(name: str, what: str) -> str:
    """Return a variable that must be set; a missing one stops the start with a sentence that says what it is."""
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {what}. See .env.example.")
    return value


SECRET_KEY = required("SECRET_KEY", "a long random text that signs sessions and links")
# `id:base64 key[,id:base64 key...]`; the first encrypts, the others still decrypt.
ENCRYPTION_KEY = required(
    "ENCRYPTION_KEY", "the key (32 bytes, base64, with an id) that encrypts credentials"
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG or TESTING else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS is not set: the host names that this server answers to. See .env.example."
    )
BASE_URL = env.str("STEWARD_BASE_URL", f"http://localhost:{env.int('PORT', 8000)}").rstrip("/")
CRON_SECRET = env.str("CRON_SECRET", "")
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- Application ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "accounts",
    "integrations",
    "workflows",
    "templates_lib",
    "billing",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.microsoft",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "template_partials",
    "csp",
    "django_crontab",
    "anymail",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.tenancy.middleware.OrganizationScopeMiddleware",
    "config.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionActivityMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Paths that know their organization only after a look-up, and open their scope themselves.
SCOPELESS_PATHS = (
    "/admin/",
    "/api/",
    "/approve/",
    "/billing/payment/",  # its pages call Stripe between two scopes
    "/forms/",
    "/health/",
    "/hooks/",
    "/integrations/",  # its pages call services between two scopes
    "/invitations/",
    "/mcp",
    "/metrics",
    "/resume/",
    "/schemas/",
    "/static/",
    "/stripe/",
)
SIGN_IN_PATHS = ("/accounts/",)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.page_context.page_context",
                "config.navigation.navigation",
            ],
        },
    }
]
FORM_RENDERER = "config.form_renderer.StewardFormRenderer"

# --- Database ------------------------------------------------------------------------------------------------------

SYSTEM_DATABASE_ROLE = "steward_system"
_urls = embedded.connection_urls(DATA_FOLDER) if IS_EMBEDDED else None
DATABASE_URL = _urls.app if _urls else env.str("DATABASE_URL")
# The owner of the tables: migrations and backups. Never used to answer a request.
DIRECT_URL = _urls.direct if _urls else env.str("DIRECT_URL", DATABASE_URL)
REPLICA_DATABASE_URL = env.str("REPLICA_DATABASE_URL", "")
AS_OWNER = os.environ.get("STEWARD_DATABASE_LOGIN") == "owner"


def database(url: str, *, pooled: bool) -> dict[str, Any]:
    """Return Django's settings for one PostgreSQL URL, fit for PgBouncer in transaction mode."""
    settings = {
        **environ.Env.db_url_config(url),
        "ENGINE": "django.db.backends.postgresql",
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,  # the scope middleware owns the transaction, see accounts.tenancy.middleware
    }
    if pooled:
        # Each web thread keeps a connection for webhooks; one more wakes the workers, one is spare.
        size = env.int("DATABASE_POOL_SIZE", env.int("WEB_THREADS", 8) + 2)
        pool = {"min_size": 1, "max_size": size, "timeout": 10}
        settings["OPTIONS"] = settings.get("OPTIONS", {}) | {"pool": pool}
    return settings


DATABASES = {"default": database(DIRECT_URL if AS_OWNER else DATABASE_URL, pooled=not (AS_OWNER or TESTING))}
if REPLICA_DATABASE_URL:
    DATABASES["replica"] = database(REPLICA_DATABASE_URL, pooled=True)
    DATABASE_ROUTERS = ["config.database.routing.ScopeRouter"]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "steward_cache",
        # Django's 300 would let a stranger push out the counts of failed sign-ins by filling the cache.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Sign-in -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.EmailBackend"]
# User.email is unique by a constraint on lower(email), which this check does not read.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_FORMS = {"signup": "accounts.sign_up.SignupForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays, accounts.sign_in ends all others
ACCOUNT_RATE_LIMITS = {"invite": "30/h/user"}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BASE_URL.startswith("https") else "http"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Staff see every organization: a password alone does not let them in where the data is real.
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", not DEBUG)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Steward"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
USERSESSIONS_TRACK_ACTIVITY = True  # by accounts.middleware, not on every request
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = False


def social_app(prefix: str) -> list[dict[str, str]]:
    """Return the allauth app of a sign-in provider whose client id and secret are configured, else none."""
    client_id, secret = env.str(f"{prefix}_CLIENT_ID", ""), env.str(f"{prefix}_CLIENT_SECRET", "")
    return [{"client_id": client_id, "secret": secret, "key": ""}] if client_id and secret else []


SOCIALACCOUNT_PROVIDERS = {
    "google": {"APPS": social_app("GOOGLE_SIGN_IN"), "SCOPE": ["profile", "email"], "VERIFIED_EMAIL": True},
    "microsoft": {"APPS": social_app("MICROSOFT_SIGN_IN")},
}

SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.views.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.fallback.FallbackStorage"

# --- Security ------------------------------------------------------------------------------------------------------

IS_HTTPS = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", IS_HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if env.bool("BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 365 * 24 * 3600 if IS_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", IS_HTTPS)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", IS_HTTPS)
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
    # The staff admin's own scripts (unfold, Alpine) need eval; its policy is set in config.middleware.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
WEBHOOK_MAX_BODY_BYTES = env.int("WEBHOOK_MAX_BODY_BYTES", 1024 * 1024)
WEBHOOK_RATE_PER_SECOND = env.int("WEBHOOK_RATE_PER_SECOND", 1000)  # per address and web process
# Addresses inside the private network that workflows may call, such as a model server of one's own: host[:port].
ALLOWED_PRIVATE_HOSTS = frozenset(env.list("ALLOWED_PRIVATE_HOSTS", default=[]))
# Our own apps at the services: OAUTH_<PROVIDER>_CLIENT_ID, _CLIENT_SECRET, _SIGNING_SECRET.
OAUTH_APPS = {name: value for name, value in os.environ.items() if name.startswith("OAUTH_")}

# --- Texts, times, files -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_FOLDER", "") or DATA_FOLDER / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.static_bundle.BundledStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_FOLDER / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- E-mail --------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Steward <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if env.str("ANYMAIL_BACKEND", ""):
    EMAIL_BACKEND = f"anymail.backends.{env.str('ANYMAIL_BACKEND')}.EmailBackend"
    ANYMAIL = env.json("ANYMAIL_SETTINGS", default={})
elif DEBUG and not env.str("EMAIL_URL", ""):
    EMAIL_BACKEND = "config.mail.TerminalEmailBackend"
else:
    _email = env.email_url("EMAIL_URL", default="smtp://localhost:25")
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "", _email.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
        _email.get("EMAIL_HOST_USER") or "",
        _email.get("EMAIL_HOST_PASSWORD") or "",
    )
    EMAIL_USE_TLS, EMAIL_USE_SSL = _email.get("EMAIL_USE_TLS", False), _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
# A development server sends e-mail itself: it is printed, and a sign-up needs no worker.
MAIL_BY_WORKER = not (DEBUG or TESTING)

# --- Billing -------------------------------------------------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
# One secret, or several separated by commas while one replaces the other.
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "")
STRIPE_AUTOMATIC_TAX = env.bool("STRIPE_AUTOMATIC_TAX", True)
STRIPE_PORTAL_CONFIGURATION = env.str("STRIPE_PORTAL_CONFIGURATION", "")

# --- Background work -----------------------------------------------------------------------------------------------

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_ON_APP_READY = "config.background.configure"
# Runs that one worker process has in progress at once. They wait for the network most of the time.
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", 500)
# The application login without a pooler in between, for those who listen: the worker, and web processes that wait for a
# run's answer. Only needed where DATABASE_URL goes through PgBouncer.
WORKER_DATABASE_URL = env.str("WORKER_DATABASE_URL", "")

# Where the nightly backup goes (none: there is none), how many are kept, and what encrypts the keys in them.
BACKUP_FOLDER = Path(env.str("BACKUP_FOLDER")).expanduser() if env.str("BACKUP_FOLDER", "") else None
BACKUP_KEEP = max(1, env.int("BACKUP_KEEP", 14))
BACKUP_PASSPHRASE = env.str("BACKUP_PASSPHRASE", "")

# One list, three runners: the system's crontab, POST /api/cron/<job>, and periodic tasks of the worker.
CRONJOBS = crontab()
CRONTAB_LOCK_JOBS = False  # the jobs hold a lock in the database, which also holds across machines

# --- Logs ----------------------------------------------------------------------------------------------------------

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_settings(
    is_json=env.bool("LOG_JSON", not DEBUG), level=env.str("LOG_LEVEL", "WARNING" if TESTING else "INFO")
)

UNFOLD = {
    "SITE_TITLE": "Steward staff",
    "SITE_HEADER": "Steward staff",
    "SITE_SYMBOL": "support_agent",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
