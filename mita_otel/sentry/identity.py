"""Who reports: environment, release and names, from the settings and the resource."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mita_otel.sentry.rates import Rates, rates_of
from mita_otel.settings import Settings

_DEFAULT_ENVIRONMENT: Final = "production"
_ENVIRONMENT_KEYS: Final = ("deployment.environment.name", "deployment.environment")


@dataclass(frozen=True, slots=True)
class Identity:
    """What every report says of its sender.

    Attributes:
        rates: what is kept beside errors; None for errors alone.
    """

    environment: str
    release: str | None
    server_name: str | None
    tags: Mapping[str, str]
    application: Mapping[str, str]
    rates: Rates | None


def describe(settings: Settings, resource: Mapping[str, Any]) -> Identity:
    """Return who reports; variables that are set win over the resource.

    Args:
        settings: what the environment asks for.
        resource: the attributes of the process's resource.
    """
    environment = settings.sentry_environment or _first(resource, *_ENVIRONMENT_KEYS) or _DEFAULT_ENVIRONMENT
    service = _first(resource, "service.name") or "unknown_service"
    version = _first(resource, "service.version")
    application = {
        "name": service,
        "version": version or "",
        "type": settings.sentry_application_type,
        "compliance": settings.sentry_compliance,
    }
    return Identity(
        environment=environment,
        release=settings.sentry_release or (f"{service}@{version}" if version else None),
        server_name=_first(resource, "host.name"),
        tags={"service": service, "component": settings.sentry_component, "environment": environment},
        application={key: value for key, value in application.items() if value},
        rates=_rates(settings, environment),
    )


def _rates(settings: Settings, environment: str) -> Rates | None:
    usual = rates_of(environment)
    if settings.sentry_traces_sample_rate is not None:
        return Rates(settings.sentry_traces_sample_rate, usual.profiles) if settings.sentry_traces_sample_rate else None
    return usual if settings.sentry_transactions else None


def _first(resource: Mapping[str, Any], *keys: str) -> str | None:
    return next((str(resource[key]) for key in keys if resource.get(key)), None)
