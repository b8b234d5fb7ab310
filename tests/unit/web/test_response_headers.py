"""What an answer tells its client."""

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags

from mita_otel.web.exchange import ResponseHeaders

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
TOLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"


def _span(*, sampled: bool) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(TRACE, SPAN, is_remote=False, trace_flags=flags)


def _told(trace_response: str, span_context: SpanContext) -> dict[str, str]:
    headers = ResponseHeaders(trace_response).of(span_context, "abc")
    return {name.decode(): value.decode() for name, value in headers}


@pytest.mark.parametrize(
    ("trace_response", "names"),
    [
        ("none", set()),
        ("traceresponse", {"traceresponse"}),
        ("server-timing", {"server-timing"}),
        ("both", {"traceresponse", "server-timing"}),
    ],
)
def test_the_setting_says_how_a_client_learns_of_the_trace(trace_response: str, names: set[str]) -> None:
    told = _told(trace_response, _span(sampled=True))
    values = {"traceresponse": f"{TOLD}-01", "server-timing": f'traceparent;desc="{TOLD}-01"'}
    assert told == {"x-correlation-id": "abc", **{name: values[name] for name in names}}


def test_browsers_are_not_sent_to_a_trace_that_is_not_sampled() -> None:
    assert _told("both", _span(sampled=False)) == {"x-correlation-id": "abc", "traceresponse": f"{TOLD}-00"}
    assert _told("server-timing", _span(sampled=False)) == {"x-correlation-id": "abc"}


def test_without_a_trace_there_is_the_correlation_id_alone() -> None:
    assert _told("both", INVALID_SPAN_CONTEXT) == {"x-correlation-id": "abc"}
