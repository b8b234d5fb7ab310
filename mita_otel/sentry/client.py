"""Sentry's SDK, started so that it reports errors and leaves traces and their propagation to OpenTelemetry."""

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import sentry_sdk
import wrapt
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.integrations import Integration, setup_integrations
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.scope import register_external_propagation_context, remove_external_propagation_context

from mita_otel.sentry import link
from mita_otel.sentry.breadcrumbs import BreadcrumbProcessor
from mita_otel.sentry.events import mask
from mita_otel.sentry.identity import Identity
from mita_otel.sentry.logs import Logging
from mita_otel.sentry.requests import watch_applications, watch_handlers
from mita_otel.settings import Settings
from mita_otel.web.paths import Excluded

MAX_BREADCRUMBS: Final = 50
"""Source: observability report, section 3.1."""

Watch = Callable[[Any], Callable[[], None]]
"""Takes a module that was imported, and returns what undoes what it did to it."""

_WATCHED: Final[Mapping[str, Watch]] = {
    "starlette.applications": watch_applications,
    "starlette.middleware.exceptions": watch_handlers,
}
"""What reports the errors of requests, by the import that triggers it."""

_TRANSACTIONS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "starlette.applications": ("starlette.StarletteIntegration", {"transaction_style": "endpoint"}),
    "fastapi": ("fastapi.FastApiIntegration", {"transaction_style": "endpoint"}),
}
"""What does so where transactions are kept: Sentry's own."""

_WORKERS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {"rq": ("rq.RqIntegration", {})}
"""Of databases and clients spans tell enough."""

_logger: Final = logging.getLogger("mita_otel.sentry")


def connect(
    settings: Settings, identity: Identity, tracer_provider: TracerProvider, options: Mapping[str, Any]
) -> tuple[Callable[[float], object], Callable[[], None]]:
    """Start the SDK; return how to flush and close it within some seconds, and how to undo everything.

    Args:
        settings: what the environment asks for, with a DSN.
        identity: who reports.
        tracer_provider: given a processor that makes breadcrumbs of spans.
        options: more for `sentry_sdk.init`.
    """
    sentry_sdk.init(**{**_options(settings, identity), **options})
    client = sentry_sdk.get_client()
    scope = sentry_sdk.get_global_scope()
    scope.set_tags(dict(identity.tags))
    scope.set_context("application", dict(identity.application))
    # Ids for reports that do not pass `before_send`, and no `sentry-trace` beside W3C's headers.
    register_external_propagation_context(link.ids)
    tracer_provider.add_span_processor(BreadcrumbProcessor())
    undone: list[Callable[[], None]] = []
    for module, (name, arguments) in {**_WORKERS, **(_TRANSACTIONS if identity.rates else {})}.items():
        _when_imported(module, _enabling(client, name, arguments), undone)
    for module, watch in _WATCHED.items() if identity.rates is None else ():
        _when_imported(module, watch, undone)

    def undo() -> None:
        for each in reversed(undone):
            each()
        remove_external_propagation_context()
        sentry_sdk.get_global_scope().clear()
        client.close(timeout=0)
        sentry_sdk.get_global_scope().set_client(None)

    return lambda timeout: client.close(timeout=timeout), undo


def _options(settings: Settings, identity: Identity) -> dict[str, Any]:
    dsn = settings.sentry_dsn
    rates = identity.rates
    return {
        "dsn": dsn and dsn.get_secret_value(),
        "environment": identity.environment,
        "release": identity.release,
        "server_name": identity.server_name,
        "traces_sample_rate": rates and rates.traces,
        "profile_session_sample_rate": rates and rates.profiles,
        "profile_lifecycle": "trace",
        "before_send": _before_send,
        "before_send_transaction": _before_send_transaction(settings),
        "max_breadcrumbs": MAX_BREADCRUMBS,
        "attach_stacktrace": True,
        # `send_default_pii` is false unless it is set, and setting it is deprecated. What a local variable or a body
        # holds has no name by which it could be masked.
        "include_local_variables": False,
        "max_request_body_size": "never",
        "trace_propagation_targets": [],
        "auto_session_tracking": False,
        # None that comes by itself: one would print at the end of the process, one sends its arguments, one patches
        # http.client, and those of databases and clients would start spans.
        "default_integrations": False,
        "auto_enabling_integrations": False,
        "integrations": [
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(),
            Logging(),
        ],
    }


def _before_send(event: Any, _: dict[str, Any]) -> Any:
    return mask(_linked(event))


def _before_send_transaction(settings: Settings) -> Callable[[Any, dict[str, Any]], Any]:
    excluded = Excluded(settings.excluded_paths)

    def before_send(event: Any, _: dict[str, Any]) -> Any:
        path = "/" + str((event.get("request") or {}).get("url", "")).partition("://")[2].partition("/")[2]
        return None if excluded(path.partition("?")[0]) else mask(_linked(event))

    return before_send


def _linked(event: dict[str, Any]) -> dict[str, Any]:
    try:
        return link.link(event)
    except Exception:  # noqa: BLE001 - a report without its trace is better than none
        return event


def _when_imported(module: str, watch: Watch, undone: list[Callable[[], None]]) -> None:
    """Watch a module once it is imported; the import never fails of it."""

    def hook(imported: Any) -> None:
        try:
            undone.append(watch(imported))
        except Exception:
            _logger.warning("Sentry does not see the errors of %s", module, exc_info=True)

    wrapt.register_post_import_hook(hook, module)


def _enabling(client: Any, name: str, arguments: Mapping[str, Any]) -> Watch:
    """Return what enables an integration once its library is there; a library that is not costs nothing."""

    def enable(_: Any) -> Callable[[], None]:
        module, _dot, integration = name.partition(".")
        made: Integration = getattr(import_module(f"sentry_sdk.integrations.{module}"), integration)(**arguments)
        client.integrations.update(setup_integrations([made], with_defaults=False, options=client.options))
        return lambda: client.integrations.pop(made.identifier, None)

    return enable
