"""Log records leave without sensitive data, cut to length, and never get lost on the way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.logs.redaction import BODY_LIMIT, redact_entry, redact_log_record
from mita_otel.redaction import REDACTED
from mita_otel.traces.redaction import FAILED
from tests.unit.redaction.forms import harmless, secrets

CARD = "4111 1111 1111 1111"


def record(body: Any = "fine", attributes: dict[str, Any] | None = None, **more: Any) -> ReadableLogRecord:
    log = LogRecord(
        timestamp=1,
        observed_timestamp=2,
        severity_text="INFO",
        severity_number=SeverityNumber.INFO,
        body=body,
        attributes=BoundedAttributes(attributes=attributes or {}),
        **more,
    )
    return ReadableLogRecord(log, Resource({"owner": "ann@example.org"}), InstrumentationScope("shop"))


def test_a_record_without_sensitive_data_is_the_same_object() -> None:
    clean = record("order 7 paid", {"order": 7, "code.function.name": "pay", "parts": {"a": 1}})
    assert redact_log_record(clean) is clean


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        (f"card {CARD}", "card [REDACTED]"),
        (
            {"password": "x", "items": [{"pin": 1}, CARD]},
            {"password": REDACTED, "items": [{"pin": REDACTED}, REDACTED]},
        ),
        ([CARD, 1, None], [REDACTED, 1, None]),
        (CARD.encode(), REDACTED.encode()),
        (4111111111111111, REDACTED),
    ],
)
def test_a_body_of_any_type_is_masked(body: Any, masked: Any) -> None:
    assert redact_log_record(record(body)).log_record.body == masked


def test_attributes_and_the_event_name_are_masked() -> None:
    given_record = record(
        attributes={
            "password": "x",
            "exception.message": f"refused {CARD}",
            "exception.stacktrace": f"ValueError: {CARD}",
            "user": {"mail": "ann@example.org"},
        },
        event_name=f"saw {CARD}",
    )
    log = redact_log_record(given_record).log_record
    assert dict(log.attributes or {}) == {
        "password": REDACTED,
        "exception.message": f"refused {REDACTED}",
        "exception.stacktrace": f"ValueError: {REDACTED}",
        "user": {"mail": REDACTED},
    }
    assert log.event_name == f"saw {REDACTED}"


def test_everything_else_of_a_record_stays() -> None:
    given_record = record(CARD)
    masked = redact_log_record(given_record)
    for field in ("timestamp", "observed_timestamp", "severity_text", "severity_number", "trace_id", "span_id"):
        assert getattr(masked.log_record, field) == getattr(given_record.log_record, field)
    assert masked.resource is given_record.resource
    assert masked.instrumentation_scope is given_record.instrumentation_scope
    assert given_record.log_record.body == CARD


def test_what_the_sdk_dropped_stays_counted() -> None:
    log = LogRecord(body=CARD, attributes=BoundedAttributes(1, {"lost": 1, "a": 1}))
    assert redact_log_record(ReadableLogRecord(log, Resource({}))).dropped_attributes == 1


def test_the_exception_itself_does_not_bring_back_what_was_masked() -> None:
    masked = redact_log_record(record(CARD, exception=ValueError(CARD)))
    assert masked.log_record.exception is None


@pytest.mark.parametrize("body", ["x" * 200_000, {"a": "x" * 200_000}])
def test_a_long_body_is_cut_and_says_how_long_it_was(body: Any) -> None:
    masked: Any = redact_log_record(record(body)).log_record.body
    text = masked if isinstance(masked, str) else masked["a"]
    assert len(text) <= BODY_LIMIT
    assert text.endswith("...[truncated, 200000 characters]")


@given(secrets, harmless)
def test_no_secret_leaves_and_no_identifier_is_touched(secret: str, value: str) -> None:
    masked = redact_log_record(record([f"saw {secret}", {"a": secret}], {"a": (secret,), "ok": value}))
    again = redact_log_record(masked)
    assert secret not in repr((masked.log_record.body, masked.log_record.attributes))
    assert dict(masked.log_record.attributes or {})["ok"] == value
    assert again is masked


@given(st.recursive(st.one_of(st.none(), st.text(), st.binary(), st.floats(), st.integers()), st.lists))
def test_any_body_can_be_judged(body: Any) -> None:
    assert redact_log_record(record(body)).log_record.timestamp == 1


def _fail(*_: Any) -> Any:
    raise RuntimeError(CARD)


def test_a_fault_leaves_ids_times_and_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.logs.redaction.redact_attributes", _fail)
    masked = redact_log_record(record(CARD, {"a": CARD}, event_name=CARD))
    assert (masked.log_record.body, masked.log_record.event_name) == (REDACTED, None)
    assert dict(masked.log_record.attributes or {}) == {FAILED: True}
    assert (masked.log_record.timestamp, masked.log_record.severity_text) == (1, "INFO")


def test_an_entry_is_masked_and_keeps_its_order() -> None:
    entry = {"message": f"card {CARD}", "n": 1, "login": {"password": "x"}, "url.query": "token=1"}
    masked = redact_entry(entry)
    assert masked == {
        "message": "card [REDACTED]",
        "n": 1,
        "login": {"password": REDACTED},
        "url.query": "token=[REDACTED]",
    }
    assert list(masked) == list(entry)
    assert entry["message"] == f"card {CARD}"


def test_an_entry_that_cannot_be_judged_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.logs.redaction.redact_attributes", _fail)
    assert redact_entry({"message": CARD}) == {FAILED: True}
