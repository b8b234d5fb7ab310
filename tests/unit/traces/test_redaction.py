"""Spans leave without sensitive data, cut to length, and never get lost on the way."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from mita_otel.redaction import REDACTED
from mita_otel.traces.redaction import ATTRIBUTE_LIMIT, FAILED, redact_span
from tests.unit.redaction.forms import harmless, secrets

CARD = "4111 1111 1111 1111"
CONTEXT = SpanContext(
    0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, is_remote=False, trace_flags=TraceFlags(1)
)
RESOURCE = Resource({"service.name": "shop", "owner": "ann@example.org"})


def span(attributes: Mapping[str, Any] | None = None, **more: Any) -> ReadableSpan:
    given_fields: dict[str, Any] = {"name": "GET /orders", "context": CONTEXT, "resource": RESOURCE, **more}
    return ReadableSpan(
        attributes=BoundedAttributes(attributes=attributes or {}), start_time=1, end_time=2, **given_fields
    )


def attribute(key: str, value: Any) -> Any:
    masked = redact_span(span({key: value})).attributes
    assert masked is not None
    return masked[key]


def test_a_span_without_sensitive_data_is_the_same_object() -> None:
    clean = span(
        {"http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/7", "n": 7, "ratio": 0.5},
        events=[Event("retry", {"attempt": 2})],
        links=[Link(CONTEXT, {"reason": "batch"})],
        status=Status(StatusCode.ERROR, "timed out"),
    )
    assert redact_span(clean) is clean


@pytest.mark.parametrize(
    ("key", "value", "masked"),
    [
        (
            "url.full",
            "https://u:p@api.example/a?token=1&page=2",
            "https://[REDACTED]@api.example/a?token=[REDACTED]&page=2",
        ),
        ("url.query", "token=1&page=2", "token=[REDACTED]&page=2"),
        ("url.path", "/users/ann@example.org/orders", "/users/[REDACTED]/orders"),
        ("db.query.text", "SELECT 'a' FROM t WHERE b = $1", "SELECT ? FROM t WHERE b = $1"),
        ("http.request.header.authorization", ("Bearer abc",), REDACTED),
        ("http.request.header.x-forwarded-for", ("10.0.0.1",), ("10.0.0.1",)),
        ("exception.message", f"card {CARD} refused", "card [REDACTED] refused"),
        ("exception.stacktrace", f"ValueError: password='x'\n{CARD}", "ValueError: password='[REDACTED]'\n[REDACTED]"),
        ("notes", ("a", CARD), ("a", REDACTED)),
        ("body", {"password": "x", "items": ({"pin": 1},)}, {"password": REDACTED, "items": ({"pin": REDACTED},)}),
        ("password", 1234, REDACTED),
        ("amount", 4111111111111111, REDACTED),
        ("trace_id", "4111111111111111", "4111111111111111"),
    ],
)
def test_each_attribute_is_judged_by_its_name_and_its_form(key: str, value: Any, masked: Any) -> None:
    assert attribute(key, value) == masked


def test_commands_of_redis_are_no_sql() -> None:
    redis = {"db.system.name": "redis", "db.query.text": "SET user:7 ?\nGET mail:ann@example.org"}
    masked = redact_span(span(redis)).attributes
    assert masked is not None
    assert masked["db.query.text"] == "SET user:7 ?\nGET mail:[REDACTED]"


def test_name_events_links_and_status_are_masked() -> None:
    masked = redact_span(
        span(
            name=f"pay {CARD}",
            events=[Event(f"saw {CARD}", {"exception.message": CARD, "n": 1}, 5), Event("fine", None, 6)],
            links=[Link(CONTEXT, {"note": CARD})],
            status=Status(StatusCode.ERROR, f"refused {CARD}"),
        )
    )
    assert masked.name == f"pay {REDACTED}"
    assert [(e.name, dict(e.attributes or {}), e.timestamp) for e in masked.events] == [
        (f"saw {REDACTED}", {"exception.message": REDACTED, "n": 1}, 5),
        ("fine", {}, 6),
    ]
    assert masked.links[0].context is CONTEXT
    assert dict(masked.links[0].attributes or {}) == {"note": REDACTED}
    assert (masked.status.status_code, masked.status.description) == (StatusCode.ERROR, f"refused {REDACTED}")


def test_everything_else_of_a_span_stays() -> None:
    scope = InstrumentationScope("shop", "1")
    given_span = span({"password": "x"}, kind=SpanKind.SERVER, parent=CONTEXT, instrumentation_scope=scope)
    masked = redact_span(given_span)
    assert masked is not given_span
    for field in ("context", "parent", "kind", "start_time", "end_time", "resource", "instrumentation_scope"):
        assert getattr(masked, field) is getattr(given_span, field) or getattr(masked, field) == getattr(
            given_span, field
        )
    assert dict(given_span.attributes or {}) == {"password": "x"}


def test_what_the_sdk_dropped_stays_counted() -> None:
    attributes = BoundedAttributes(maxlen=1, attributes={"lost": 1, "password": "x"})
    events: BoundedList[Event] = BoundedList.from_seq(1, [Event("lost"), Event("e", BoundedAttributes(0, {"lost": 1}))])
    links: BoundedList[Link] = BoundedList.from_seq(1, [Link(CONTEXT), Link(CONTEXT, {"note": CARD})])
    masked = redact_span(ReadableSpan("name", CONTEXT, attributes=attributes, events=events, links=links))
    assert (masked.dropped_attributes, masked.dropped_events, masked.dropped_links) == (1, 1, 1)
    assert masked.events[0].dropped_attributes == 1


@pytest.mark.parametrize("value", ["x" * 20_000, ("x" * 20_000,), {"a": "x" * 20_000}])
def test_a_long_value_is_cut_and_says_how_long_it_was(value: Any) -> None:
    masked = attribute("note", value)
    text = masked if isinstance(masked, str) else next(iter(masked.values() if isinstance(masked, dict) else masked))
    assert len(text) <= ATTRIBUTE_LIMIT
    assert text.endswith("...[truncated, 20000 characters]")


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: (text,)])
def test_a_value_that_the_sdk_has_cut_says_so_without_a_length(wrap: Any) -> None:
    masked = attribute("note", wrap("x" * (ATTRIBUTE_LIMIT + 1)))
    text = masked if isinstance(masked, str) else masked[0]
    assert len(text) <= ATTRIBUTE_LIMIT
    assert text.endswith("x...[truncated]")


def test_a_value_that_just_fits_is_not_cut() -> None:
    assert attribute("note", "x" * ATTRIBUTE_LIMIT) == "x" * ATTRIBUTE_LIMIT


def test_a_cut_by_the_sdk_through_a_secret_leaves_none_of_it() -> None:
    assert "4111" not in attribute("note", ("x " * ATTRIBUTE_LIMIT)[: ATTRIBUTE_LIMIT - 8] + "4111 1111")


def test_the_limit_can_be_chosen() -> None:
    masked = redact_span(span({"note": "x" * 500}), limit=100).attributes
    assert masked is not None
    assert masked["note"] == "x" * 70 + "...[truncated, 500 characters]"


@given(secrets, harmless)
def test_no_secret_leaves_and_no_identifier_is_touched(secret: str, value: str) -> None:
    masked = redact_span(
        span(
            {
                "a": f"saw {secret}",
                "b": (secret,),
                "c": {"d": secret},
                "url.full": f"https://h/?q={secret}",
                "ok": value,
            },
            name=f"pay {secret}",
            events=[Event(secret, {"exception.stacktrace": f"Error: {secret}\n"})],
            links=[Link(CONTEXT, {"note": secret})],
            status=Status(StatusCode.ERROR, secret),
        )
    )
    assert secret not in masked.to_json().encode().decode("unicode_escape")
    assert dict(masked.attributes or {})["ok"] == value
    assert redact_span(masked).to_json() == masked.to_json()


@given(st.dictionaries(st.text(min_size=1), st.one_of(st.text(), st.binary(), st.floats(), st.lists(st.text()))))
def test_any_attributes_can_be_judged(attributes: dict[str, Any]) -> None:
    assert redact_span(span(attributes)).context is CONTEXT


def _fail(*_: Any) -> Any:
    raise RuntimeError(CARD)


def test_a_fault_in_one_attribute_masks_that_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.traces.redaction.cut_texts", _fail)
    masked = redact_span(span({"a": (CARD,), "n": "fine"}))
    assert dict(masked.attributes or {}) == {"a": REDACTED, "n": "fine"}


def test_a_fault_in_one_event_or_link_costs_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(dict[str, Any]):
        items = _fail

    masked = redact_span(
        span(events=[Event("a", Broken(a=CARD), 5), Event("b", {"n": 1}, 6)], links=[Link(CONTEXT, Broken(a=CARD))])
    )
    assert [(e.name, dict(e.attributes or {}), e.timestamp) for e in masked.events] == [
        (REDACTED, {FAILED: True}, 5),
        ("b", {"n": 1}, 6),
    ]
    assert dict(masked.links[0].attributes or {}) == {FAILED: True}


def test_a_fault_in_the_whole_span_leaves_ids_and_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.traces.redaction.redact_attributes", _fail)
    masked = redact_span(span({"a": CARD}, name=f"pay {CARD}", status=Status(StatusCode.ERROR, CARD)))
    assert masked.context is CONTEXT
    assert (masked.name, masked.start_time, masked.end_time) == (REDACTED, 1, 2)
    assert dict(masked.attributes or {}) == {FAILED: True}
    assert (masked.status.status_code, masked.status.description) == (StatusCode.ERROR, None)
