"""All settings as one model, read from a mapping of variables."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError, create_model

from mita_otel.endpoint import OtlpEndpoint, Signal, masked_url, otlp_endpoint
from mita_otel.redaction import REDACTED, is_sensitive_key
from mita_otel.settings.administration import AdministrationSettings
from mita_otel.settings.audit import AuditSettings
from mita_otel.settings.errors import ErrorsSettings
from mita_otel.settings.export import ExportSettings
from mita_otel.settings.flags import FlagsSettings
from mita_otel.settings.health import HealthSettings
from mita_otel.settings.libraries import LibrarySettings
from mita_otel.settings.logs import LogsSettings
from mita_otel.settings.metrics import MetricsSettings
from mita_otel.settings.process import ProcessSettings
from mita_otel.settings.ratelimit import RateLimitSettings
from mita_otel.settings.requests import RequestsSettings
from mita_otel.settings.retries import RetrySettings
from mita_otel.settings.sentry import SentrySettings
from mita_otel.settings.slo import SloSettings
from mita_otel.settings.traces import TracesSettings
from mita_otel.settings.values import Part

INSTRUMENTED_BY_US: Final = "mita-otel-instruments"
"""Divides, in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`, what the user disabled from what we instrument ourselves; the
launcher reads the variable after us, and so do child processes."""


class SettingsError(ValueError):
    """One or more variables hold values that are not allowed; `problems` has one sentence for each."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Take the problems, keyed by the name of the variable."""
        self.problems = dict(problems)
        super().__init__("; ".join(self.problems.values()))


class Settings(
    AdministrationSettings,
    AuditSettings,
    ErrorsSettings,
    FlagsSettings,
    HealthSettings,
    LibrarySettings,
    LogsSettings,
    MetricsSettings,
    TracesSettings,
    RequestsSettings,
    RateLimitSettings,
    RetrySettings,
    SentrySettings,
    SloSettings,
    ProcessSettings,
    ExportSettings,
):
    """What the environment asks for."""

    otlp: Mapping[Signal, OtlpEndpoint] = Field(default_factory=dict, exclude=True)

    @property
    def disabled_by_user(self) -> tuple[str, ...]:
        """The disabled instrumentations without those that we do ourselves."""
        names = self.disabled_instrumentations
        return names[: names.index(INSTRUMENTED_BY_US)] if INSTRUMENTED_BY_US in names else names

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from a mapping of environment variables; an empty value counts as not set.

        Raises:
            SettingsError: a variable's value is not allowed; all of them are named at once.
        """
        given = {name: value for name, value in environment.items() if value.strip()}
        problems: dict[str, str] = {}
        endpoints: dict[Signal, OtlpEndpoint] = {}
        signals: tuple[Signal, ...] = ("traces", "metrics", "logs")
        for signal in signals:
            try:
                endpoints[signal] = otlp_endpoint(given, signal)
            except ValueError as error:
                problems[_variable(str(error))] = str(error)
        asked: dict[str, Any] = {}
        try:
            asked = dict(_asked(frozenset(given)).model_validate(given))
        except ValidationError as error:
            problems.update(_explain(error, given))
        if problems:
            raise SettingsError(problems)
        return cls.model_construct(**{str(cls.model_fields[name].alias): asked[name] for name in asked}, otlp=endpoints)

    @classmethod
    def read_leniently(cls, environment: Mapping[str, str]) -> "tuple[Settings, SettingsError | None]":
        """Read the settings, put defaults in the place of values that are not allowed, and say which they were."""
        try:
            return cls.read(environment), None
        except SettingsError as error:
            kept = {name: value for name, value in environment.items() if name not in error.problems}
            try:
                return cls.read(kept), error
            except SettingsError as again:
                # A problem whose variable cannot be told apart costs the whole family its values.
                rest = {name: value for name, value in kept.items() if not name.startswith("OTEL_EXPORTER_OTLP_")}
                return cls.read(rest), SettingsError({**error.problems, **again.problems})


@lru_cache(maxsize=16)
def _asked(variables: frozenset[str]) -> type[BaseModel]:
    """Return a model of the fields that these variables set.

    A model of all of them takes seven times as long to make, and a start would wait for it; defaults need no check.
    """
    known = Settings.model_fields.items()
    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in known if field.alias in variables}
    return create_model("Asked", __base__=Part, **fields)


def _variable(problem: str) -> str:
    """Return the name that a problem's sentence begins with."""
    return re.split(r"[^A-Z0-9_]", problem, maxsplit=1)[0]


def _explain(error: ValidationError, given: Mapping[str, str]) -> dict[str, str]:
    allowed = {field.alias: field.description for field in Settings.model_fields.values()}
    names = sorted({str(problem["loc"][0]) for problem in error.errors()})
    shown = {name: _shown(name, given.get(name, "")) for name in names}
    return {
        name: f"{name}={shown[name]!r} is not allowed: it takes {allowed.get(name, 'another value')}" for name in names
    }


def _shown(name: str, value: str) -> str:
    """Return a value as a message may show it."""
    return REDACTED if is_sensitive_key(name) else masked_url(value) if "@" in value else value


def table() -> list[dict[str, Any]]:
    """Return a row for each variable (name, default, allowed values, meaning): the source of the reference page."""
    return [
        {
            "name": field.alias,
            "default": field.get_default(call_default_factory=True),
            "allowed": field.description,
            "meaning": field.title,
        }
        for field in Settings.model_fields.values()
        if field.alias
    ]
