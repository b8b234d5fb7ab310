"""Delivery of telemetry by OTLP in which nothing is lost quietly: spans, log records and metrics."""

from mita_otel.endpoint import OtlpEndpoint, Signal, otlp_endpoint
from mita_otel.export.bell import Bell
from mita_otel.export.logs import OutboxLogRecordProcessor
from mita_otel.export.metrics import OtlpMetricExporter
from mita_otel.export.observation import observe_spans
from mita_otel.export.outbox import Closed, Outbox
from mita_otel.export.pace import Pace
from mita_otel.export.sender import Accepted, Outcome, Refused, Retry, Sender, open_sender
from mita_otel.export.span_encoder import MaskingEncoder, SpanEncoder
from mita_otel.export.spans import OutboxSpanProcessor
from mita_otel.export.statistics import Statistics, Tally

__all__ = [
    "Accepted",
    "Bell",
    "Closed",
    "MaskingEncoder",
    "OtlpEndpoint",
    "OtlpMetricExporter",
    "Outbox",
    "OutboxLogRecordProcessor",
    "OutboxSpanProcessor",
    "Outcome",
    "Pace",
    "Refused",
    "Retry",
    "Sender",
    "Signal",
    "SpanEncoder",
    "Statistics",
    "Tally",
    "observe_spans",
    "open_sender",
    "otlp_endpoint",
]
