"""The pull endpoint: `/metrics` in the Prometheus text format, one port a process."""

import errno
import logging
from typing import Final

from opentelemetry.sdk.metrics.export import MetricReader

_ATTEMPTS: Final = 32
"""Ports tried from the configured one upwards: as many workers as one host reasonably runs."""

_logger: Final = logging.getLogger("mita_otel.metrics.prometheus")


def reader(host: str, port: int) -> MetricReader:
    """Return a reader that is served at `http://host:port/metrics`.

    Each worker process listens on a port of its own, the next free one, and carries its `service.instance.id` in
    `target_info`: series of different workers are different targets, never mixed by chance.

    Raises:
        OSError: no port of the range is free.
    """
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415 - only when asked for
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - only when asked for

    registry = CollectorRegistry()
    for candidate in range(port, port + _ATTEMPTS):
        try:
            start_http_server(candidate, addr=host, registry=registry)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            _logger.info("metrics at http://%s:%d/metrics", host, candidate)
            return PrometheusMetricReader(
                registry=registry, resource_attribute_filter=lambda key: key == "service.instance.id"
            )
    message = (
        f"OTEL_EXPORTER_PROMETHEUS_PORT={port}: no free port from {port} to {port + _ATTEMPTS - 1} on {host}; "
        "name another, or let the Collector serve Prometheus (OTEL_METRICS_EXPORTER=otlp)"
    )
    raise OSError(errno.EADDRINUSE, message)
