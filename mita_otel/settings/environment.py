"""The process's environment; nothing else in the package touches it."""

import os
from collections.abc import Mapping, MutableMapping
from typing import Final

OTEL_DEFAULTS: Final[Mapping[str, str]] = {
    # Stable names only: the old HTTP conventions put the client's Host header into metrics.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    # A pipeline that cannot report its own drops loses data quietly.
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
    # As often as Prometheus would scrape.
    "OTEL_METRIC_EXPORT_INTERVAL": "15000",
    # Cut at the export limit plus one, so that the exporter can tell a cut value from one that just fits.
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "8193",
}
"""Defaults for variables that the SDK reads itself; a variable that is set wins."""


def environment() -> MutableMapping[str, str]:
    """Return the process's environment; nothing else in the package touches it."""
    return os.environ


def apply_defaults(variables: MutableMapping[str, str]) -> None:
    """Set what the SDK reads from the environment itself, where the user has not."""
    for name, value in OTEL_DEFAULTS.items():
        if not variables.get(name, "").strip():
            variables[name] = value
