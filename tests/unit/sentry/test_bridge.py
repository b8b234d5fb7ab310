"""What the SDK is told, which trace a report belongs to, and that nothing runs twice or without a DSN."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from opentelemetry import propagate, trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from mita_otel import correlation
from mita_otel.sentry import bridge
from mita_otel.settings import Settings
from mita_otel.traces import request as request_span
from tests.unit.sentry.conftest import DSN, Start

CARD = "4111 1111 1111 1111"


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """No request of another test is still remembered."""
    before = request_span.begin()
    yield
    request_span.restore(before)


def _fail() -> None:
    raise ValueError(f"card {CARD} refused")


def test_the_options_are_those_of_the_report(start: Start) -> None:
    options = start({"SENTRY_ENVIRONMENT": "staging"}, {"service.version": "2", "host.name": "node-7"}).client.options
    assert options["max_breadcrumbs"] == 50
    assert options["attach_stacktrace"] is True
    assert not options["send_default_pii"]
    assert options["traces_sample_rate"] is None
    assert options["environment"] == "staging"
    assert options["release"] == "shop@2"
    assert options["server_name"] == "node-7"


def test_with_transactions_the_shares_are_those_of_the_environment(start: Start) -> None:
    options = start({"SENTRY_ENVIRONMENT": "staging", "MITA_SENTRY_TRANSACTIONS": "true"}).client.options
    assert (options["traces_sample_rate"], options["profile_session_sample_rate"]) == (0.5, 0.5)


def test_an_error_is_reported_with_the_ids_of_the_span_and_masked(start: Start) -> None:
    bridged = start()
    token = correlation.bind("order-7")
    with bridged.tracer.start_as_current_span("pay", record_exception=False) as span:
        try:
            _fail()
        except ValueError as error:
            sentry_sdk.capture_exception(error)
    correlation.unbind(token)
    event = bridged.sent.event()
    assert event["contexts"]["trace"]["trace_id"] == format_trace_id(span.get_span_context().trace_id)
    assert event["contexts"]["trace"]["span_id"] == format_span_id(span.get_span_context().span_id)
    assert event["contexts"]["application"]["compliance"] == "PCI_DSS"
    assert event["tags"] == {
        "service": "shop",
        "component": "backend",
        "environment": "production",
        "correlation_id": "order-7",
    }
    assert event["exception"]["values"][0]["value"] == "card [REDACTED] refused"
    assert CARD not in bridged.sent.text


def test_after_the_end_of_the_servers_span_an_error_still_belongs_to_its_trace(start: Start) -> None:
    bridged = start()
    with bridged.tracer.start_as_current_span("GET /pay", kind=SpanKind.SERVER) as span:
        pass
    sentry_sdk.capture_exception(ValueError("late"))
    trace_id = format_trace_id(span.get_span_context().trace_id)
    assert bridged.sent.event()["contexts"]["trace"]["trace_id"] == trace_id


def test_outside_of_a_trace_a_report_has_an_id_of_its_own(start: Start) -> None:
    bridged = start()
    sentry_sdk.capture_message("hello", level="error")
    assert len(bridged.sent.event()["contexts"]["trace"]["trace_id"]) == 32


def test_an_exception_that_a_span_recorded_and_the_application_handled_is_no_report(start: Start) -> None:
    bridged = start()
    with bridged.tracer.start_as_current_span("insert") as span:
        try:
            _fail()
        except ValueError as error:
            span.record_exception(error)
    assert bridged.sent.items == []


def test_one_exception_that_is_logged_again_and_again_is_one_report(start: Start) -> None:
    bridged = start()
    try:
        _fail()
    except ValueError as error:
        sentry_sdk.capture_exception(error)
        logging.getLogger("shop").exception("it failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert len(bridged.sent.items) == 1


def test_a_logged_error_is_a_report_and_what_was_logged_before_are_its_breadcrumbs(start: Start) -> None:
    bridged = start()
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    logger.info("paying with %s", CARD, extra={"password": "hunter2"})
    logger.warning("slow")
    logger.error("order %s refused", CARD, extra={"cvv": "123"})
    event = bridged.sent.event()
    assert event["logger"] == "shop.orders"
    assert event["logentry"]["formatted"] == "order [REDACTED] refused"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["paying with [REDACTED]", "slow"]
    assert event["extra"]["cvv"] == "[REDACTED]"
    assert "threads" in event  # attach_stacktrace
    for secret in (CARD, "hunter2"):
        assert secret not in bridged.sent.text


def test_an_answered_error_that_goes_on_is_a_breadcrumb_and_tags_what_is_reported(start: Start) -> None:
    bridged = start()
    told = {"mita.error.id": "err_7", "mita.error.code": "SYSTEM_9001"}
    logging.getLogger("mita_otel.errors").critical("SYSTEM_9001: ValueError", extra=told)
    assert bridged.sent.items == []
    sentry_sdk.capture_exception(ValueError("failed"))
    event = bridged.sent.event()
    assert event["tags"].items() >= told.items()
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["SYSTEM_9001: ValueError"]


def test_there_are_at_most_fifty_breadcrumbs(start: Start) -> None:
    bridged = start()
    for number in range(80):
        sentry_sdk.add_breadcrumb(message=f"crumb {number}")
    sentry_sdk.capture_message("enough")
    assert len(bridged.sent.event()["breadcrumbs"]["values"]) == 50


def test_calls_that_went_out_are_breadcrumbs_and_no_span_is_started_for_them(start: Start) -> None:
    bridged = start()
    calls: list[dict[str, Any]] = [
        {"db.system.name": "postgresql", "db.query.text": "SELECT 1 FROM t WHERE a = '4111111111111111'"},
        {"db.system.name": "redis"},
        {"http.request.method": "GET", "url.full": "https://h/p?token=x", "http.response.status_code": 503},
        {"messaging.system": "kafka"},
    ]
    for attributes in calls:
        with bridged.tracer.start_as_current_span("call", kind=SpanKind.CLIENT, attributes=attributes) as span:
            if "http.request.method" in attributes:
                span.set_status(StatusCode.ERROR)
    with bridged.tracer.start_as_current_span("inside"):
        pass
    sentry_sdk.capture_message("see what led here")
    shown = [
        {key: crumb[key] for key in ("category", "message", "data", "level") if crumb.get(key)}
        for crumb in bridged.sent.event()["breadcrumbs"]["values"]
    ]
    assert shown == [
        {"category": "query", "message": "SELECT 1 FROM t WHERE a = '[REDACTED]'", "level": "info"},
        {"category": "redis", "message": "call", "level": "info"},
        {
            "category": "httplib",
            "data": {"method": "GET", "url": "https://h/p?token=[REDACTED]", "status_code": 503},
            "level": "error",
        },
    ]


def test_propagation_stays_that_of_w3c(start: Start) -> None:
    before = propagate.get_global_textmap()
    start()
    assert propagate.get_global_textmap() is before
    assert list(sentry_sdk.get_current_scope().iter_trace_propagation_headers()) == []


def test_a_transaction_moves_over_to_the_trace(start: Start) -> None:
    bridged = start({"SENTRY_TRACES_SAMPLE_RATE": "1"})
    with (
        bridged.tracer.start_as_current_span("GET /pay", kind=SpanKind.SERVER) as span,
        sentry_sdk.start_transaction(name="pay"),
        sentry_sdk.start_span(op="db", name=f"SELECT '{CARD}'"),
    ):
        pass
    transaction = bridged.sent.event()
    trace_id = format_trace_id(span.get_span_context().trace_id)
    assert transaction["contexts"]["trace"]["trace_id"] == trace_id
    assert [each["trace_id"] for each in transaction["spans"]] == [trace_id]
    assert transaction["spans"][0]["parent_span_id"] == transaction["contexts"]["trace"]["span_id"]
    assert CARD not in bridged.sent.text


@pytest.mark.parametrize(("path", "sent"), [("/health", 0), ("/health/live?x=1", 0), ("/pay", 1)])
def test_transactions_of_paths_that_are_left_out_are_dropped(start: Start, path: str, sent: int) -> None:
    bridged = start({"SENTRY_TRACES_SAMPLE_RATE": "1"})
    with sentry_sdk.isolation_scope() as scope, sentry_sdk.start_transaction(name="request"):
        scope.add_event_processor(lambda event, _: {**event, "request": {"url": f"http://h:8000{path}"}})
    assert len(bridged.sent.items) == sent


def test_a_fault_of_ours_costs_a_report_its_trace_and_nothing_else(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridged = start()
    monkeypatch.setattr("mita_otel.sentry.link.link", _fail)
    sentry_sdk.capture_message(f"card {CARD}")
    assert bridged.sent.event()["message"] == "card [REDACTED]"


def test_a_breadcrumb_that_cannot_be_made_costs_the_span_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    bridged = start()
    monkeypatch.setattr("mita_otel.sentry.breadcrumbs.breadcrumb", _fail)
    with bridged.tracer.start_as_current_span("call", kind=SpanKind.CLIENT):
        assert trace.get_current_span().is_recording()


def test_without_a_dsn_there_is_nothing_to_close() -> None:
    assert bridge(Settings.read({}), TracerProvider(shutdown_on_exit=False), NoOpMeterProvider()).closings == ()


def test_without_a_dsn_the_sdk_is_not_imported() -> None:
    code = (
        "import sys; from mita_otel.sentry import bridge; from mita_otel.settings import Settings;"
        "from opentelemetry.sdk.trace import TracerProvider; from opentelemetry.metrics import NoOpMeterProvider;"
        "bridge(Settings.read({}), TracerProvider(shutdown_on_exit=False), NoOpMeterProvider());"
        "print('sentry_sdk' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_a_bridge_that_cannot_be_built_is_told_of_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sentry_sdk, "init", _fail_to_start)
    provider = TracerProvider(shutdown_on_exit=False)
    assert bridge(Settings.read({"SENTRY_DSN": DSN}), provider, NoOpMeterProvider()).closings == ()
    assert "errors are not reported to Sentry" in caplog.text
    with pytest.raises(OSError, match="no"):
        bridge(Settings.read({"SENTRY_DSN": DSN, "MITA_STRICT": "true"}), provider, NoOpMeterProvider())


def _fail_to_start(**_: Any) -> None:
    raise OSError("no")
