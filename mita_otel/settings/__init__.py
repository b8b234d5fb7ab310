"""Every setting of the distribution, typed and validated; the only reader of the environment."""

from mita_otel.settings.administration import DOCTOR_PATH
from mita_otel.settings.environment import OTEL_DEFAULTS, apply_defaults, environment
from mita_otel.settings.model import INSTRUMENTED_BY_US, Settings, SettingsError, table
from mita_otel.settings.ratelimit import RateLimitSettings
from mita_otel.settings.requests import DEFAULT_EXCLUDED_PATHS
from mita_otel.settings.retries import RetrySettings

__all__ = [
    "DEFAULT_EXCLUDED_PATHS",
    "DOCTOR_PATH",
    "INSTRUMENTED_BY_US",
    "OTEL_DEFAULTS",
    "RateLimitSettings",
    "RetrySettings",
    "Settings",
    "SettingsError",
    "apply_defaults",
    "environment",
    "table",
]
