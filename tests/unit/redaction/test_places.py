"""Generated secrets, in every place of a record, a statement, an address and an exception."""

import json
import logging
import traceback
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry._logs import LogRecord
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from mita_otel.logs.redaction import redact_log_record
from mita_otel.redaction import redact_path, redact_query, redact_statement, redact_text, redact_url, redact_value
from mita_otel.traces.redaction import redact_span
from tests.unit.redaction.forms import card_digits, cards, ibans, secrets, ssns

CONTEXT = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
forms = st.one_of(cards(), ibans(), ssns())


@given(forms)
def test_a_span_carries_none_in_its_name_attributes_arrays_events_links_and_status(secret: str) -> None:
    attributes: dict[str, Any] = {
        "note": secret,
        "list": (secret, "x"),
        f"of {secret}": 1,
        "json": json.dumps({"a": [secret]}),
    }
    masked = redact_span(
        ReadableSpan(
            f"pay {secret}",
            CONTEXT,
            attributes=BoundedAttributes(attributes=attributes),
            events=[Event(f"saw {secret}", attributes)],
            links=[Link(CONTEXT, attributes)],
            status=Status(StatusCode.ERROR, f"refused {secret}"),
        )
    )
    shown: list[Any] = [masked.name, dict(masked.attributes or {}), masked.status.description]
    shown += [[event.name, dict(event.attributes or {})] for event in masked.events]
    shown += [dict(link.attributes or {}) for link in masked.links]
    assert secret not in str(shown)
    assert str(shown).count("[REDACTED]") >= 15


@given(forms)
def test_a_log_record_carries_none_in_its_body_attributes_and_name(secret: str) -> None:
    body: Any = {"text": f"saw {secret}", "bytes": secret.encode(), "deep": [{secret: (secret, {"a": secret})}]}
    record = LogRecord(body=body, attributes={"exception.message": secret, f"k {secret}": [secret]}, event_name=secret)
    masked = redact_log_record(ReadableLogRecord(record, Resource({}))).log_record
    assert secret not in str([masked.body, dict(masked.attributes or {}), masked.event_name])


@given(forms, forms)
def test_a_formatted_message_carries_none_of_its_arguments(first: str, second: str) -> None:
    record = logging.LogRecord("shop", logging.INFO, "f.py", 1, "saw %s and %r", (first, {"a": second}), None)
    masked = redact_text(record.getMessage())
    assert first not in masked
    assert second not in masked


@given(forms)
def test_an_exception_carries_none_in_its_arguments_notes_causes_and_groups(secret: str) -> None:
    error = ValueError(f"refused {secret}", {"card": secret}, [secret.encode()])
    error.add_note(f"because of {secret}")
    error.__cause__ = KeyError(secret)
    error.__context__ = OSError(1, secret)
    group = ExceptionGroup(f"several {secret}", [error, RuntimeError(secret)])
    trace = "".join(traceback.format_exception(group))
    assert secret in trace
    for carrier in (redact_text(trace), redact_value("error", error), redact_value(None, error.args)):
        assert secret not in str(carrier)


@given(forms)
def test_a_statement_carries_none_in_literals_comments_and_lists(secret: str) -> None:
    for sql in (
        f"UPDATE cards SET number = '{secret}' WHERE id = $1",
        f"SELECT * FROM t WHERE a IN ('{secret}', '{secret}') -- {secret}\nAND b = 1",
        f"INSERT INTO t VALUES ('x', E'{secret}'), ('y', $${secret}$$) /* {secret} */",
    ):
        assert secret not in redact_text(redact_statement(sql))


@given(card_digits())
def test_a_statement_carries_no_card_number_as_a_number(digits: str) -> None:
    assert digits not in redact_statement(f"SELECT * FROM t WHERE card = {digits} OR card = -{digits}")


@given(forms, st.sampled_from([quote, quote_plus]))
def test_an_address_carries_none_in_user_path_query_and_fragment(secret: str, encode: "type[quote]") -> None:  # type: ignore[valid-type] # either function
    encoded = encode(secret)  # type: ignore[misc] # as above
    url = f"https://{encoded}:{encoded}@h.example/a/{encoded}/b?q={encoded}&{encoded}=1&r={encode(encoded)}#{encoded}"  # type: ignore[misc] # as above
    masked = redact_url(url)
    assert secret not in masked
    assert encoded not in masked
    assert masked.startswith("https://[REDACTED]@h.example/a/[REDACTED]/b?")
    assert encoded not in redact_path(f"/a;p={encoded}/{encoded}")
    assert encoded not in redact_query(f"a[]={encoded};b={encoded}")
    assert encoded not in redact_text(f"GET {url} HTTP/1.1")


@given(secrets)
def test_baggage_that_is_written_down_carries_none(secret: str) -> None:
    carried = baggage.set_baggage("note", secret, Context())
    assert secret not in str(redact_value("baggage", dict(baggage.get_all(carried))))
    assert quote(secret) not in redact_text(f"baggage: tenant=acme,note={quote(secret)}")


@given(card_digits(), st.sampled_from(["\u00a0", "\u202f", "\u2011", "\u2010"]))
def test_a_card_number_is_found_with_typographers_separators(digits: str, separator: str) -> None:
    if len(digits) == 16:
        written = separator.join(digits[start : start + 4] for start in range(0, 16, 4))
        assert redact_text(f"card {written}.") == "card [REDACTED]."


@pytest.mark.parametrize(
    "wrapped", ["({})", "[{}]", '"{}"', "<{}>", "{},", "#{}", "a: {}", "={}", "\t{}\n", "\\n{}\\n", "…{}…"]
)
def test_punctuation_around_a_number_hides_nothing(wrapped: str) -> None:
    for secret in ("4111111111111111", "4111 1111 1111 1111", "DE89370400440532013000", "123-45-6789"):
        assert secret not in redact_text(wrapped.format(secret))
