"""A real round trip: a probe span to the traces endpoint, an empty request to the others."""

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from mita_otel.doctor.facts.model import Delivery
from mita_otel.doctor.facts.wire import language_of
from mita_otel.endpoint import OtlpEndpoint, Signal
from mita_otel.installed import version
from mita_otel.settings import Settings

SERVICE_NAME: Final = "mita-otel-doctor"

TIMEOUT: Final = 5.0
"""Seconds an attempt may take, unless the settings give it less: an exporter waits longer, a person should not."""

_DURATION: Final = 1_000_000
"""Nanoseconds that the probe span claims to have taken."""


def probe_trace_id() -> int:
    """Return a trace id that no other trace has."""
    return int.from_bytes(os.urandom(16)) or 1


def deliver(settings: Settings, variables: Mapping[str, str], trace_id: int) -> tuple[Delivery, ...]:
    """Send to the endpoint of each signal that goes out by OTLP, all at once, each with one attempt.

    Raises:
        ImportError: OTLP messages cannot be made of what is installed.
        OSError: a certificate or key file cannot be read; the message names it.
    """
    exporters: tuple[tuple[Signal, tuple[str, ...]], ...] = (
        ("traces", settings.traces_exporter),
        ("metrics", settings.metrics_exporter),
        ("logs", settings.logs_exporter),
    )
    wanted = [signal for signal, names in exporters if "otlp" in names]
    # An empty request is one that a receiver must take: it leaves nothing behind.
    payloads = {signal: _probe(trace_id) if signal == "traces" else b"" for signal in wanted}
    with ThreadPoolExecutor(max_workers=len(exporters)) as pool:
        return tuple(
            pool.map(
                lambda signal: _attempt(signal, settings.otlp[signal], variables, payloads[signal]),
                wanted,
            )
        )


def _attempt(signal: Signal, endpoint: OtlpEndpoint, variables: Mapping[str, str], payload: bytes) -> Delivery:
    # Imported here, for what it needs may be what is broken.
    from mita_otel.export import Accepted, Refused, open_sender  # noqa: PLC0415 - see above
    from mita_otel.export.quiet import quietly  # noqa: PLC0415 - see above

    sender = open_sender(endpoint, signal)
    timeout = min(TIMEOUT, endpoint.timeout)
    began, date = time.time(), None
    with quietly():
        try:
            outcome = sender.send(payload, timeout)
            date = getattr(sender, "date", None)
        finally:
            sender.close()
    ended = time.time()
    accepted = isinstance(outcome, Accepted)
    variable, given = _variable(signal, variables)
    return Delivery(
        signal=signal,
        endpoint=endpoint,
        variable=variable,
        given=given,
        outcome="accepted" if accepted else "refused" if isinstance(outcome, Refused) else "retry",
        reason=outcome.message if isinstance(outcome, Accepted) else outcome.reason,
        rejected=outcome.rejected_items if isinstance(outcome, Accepted) else 0,
        seconds=ended - began,
        speaks=None if accepted else language_of(*_address(endpoint)),
        ahead=seconds_ahead(date, began, ended),
    )


def _variable(signal: Signal, variables: Mapping[str, str]) -> tuple[str, bool]:
    """Return the name of the variable that the endpoint comes from, and whether it is set."""
    own, general = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
    for name in (own, general):
        if variables.get(name, "").strip():
            return name, True
    return general, False


def _address(endpoint: OtlpEndpoint) -> tuple[str, int]:
    parts = urlsplit(endpoint.url if endpoint.protocol == "http/protobuf" else f"//{endpoint.url}")
    return parts.hostname or "", parts.port or (80 if endpoint.insecure else 443)


def seconds_ahead(date: str | None, began: float, ended: float) -> float | None:
    """Return by how many seconds the clock that wrote an HTTP `Date` is ahead of ours; None without a valid one.

    Args:
        date: the header; its resolution is a second, so half a second is added.
        began: when the question was asked, in seconds since the epoch.
        ended: when the answer had come.
    """
    try:
        told = parsedate_to_datetime(date or "").timestamp() + 0.5
    except (ValueError, OverflowError):
        return None
    if began - 0.5 <= told <= ended + 0.5:
        return 0.0
    return told - (began + ended) / 2


def _probe(trace_id: int) -> bytes:
    """Encode one span, marked so that a tail sampler of ours keeps it."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415 - as below
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - slow, and may be what is broken
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 - as above
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415 - as above
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags  # noqa: PLC0415 - as above

    span_id = int.from_bytes(os.urandom(8)) or 1
    end = time.time_ns()
    span = ReadableSpan(
        name="doctor probe",
        context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)),
        resource=Resource({"service.name": SERVICE_NAME, "service.version": version("mita-otel")}),
        instrumentation_scope=InstrumentationScope("mita_otel.doctor"),
        attributes={"mita.keep": True},
        kind=SpanKind.INTERNAL,
        start_time=end - _DURATION,
        end_time=end,
    )
    payload: bytes = encode_spans([span]).SerializeToString()
    return payload
