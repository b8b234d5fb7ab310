"""Each field that the observability report names is masked, by each carrier that may hold it."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, TraceFlags

from mita_otel.logs.redaction import redact_entry, redact_log_record
from mita_otel.redaction import redact_query, redact_text, redact_url, redact_value
from mita_otel.sentry.events import mask
from mita_otel.traces.redaction import redact_span

SECTION_1_2: Final = {
    "passwords": ("password", "passwd", "new_password"),
    "tokens": ("token", "access_token", "refresh_token", "csrfToken"),
    "API keys": ("api_key", "apikey", "X-API-Key"),
    "e-mail": ("email", "user.email", "email_address"),
    "phone": ("phone", "phone_number", "mobilePhone"),
    "SSN": ("ssn", "social_security_number"),
    "credit cards": ("credit_card", "card_number", "creditCardNumber"),
    "authorization headers": ("authorization", "Proxy-Authorization", "http.request.header.authorization"),
}
"""What section 1.2 sanitises, and names by which it comes."""

SECTION_3_1: Final = (
    *("password", "token", "secret", "key", "authorization"),
    *("card_number", "cvv", "pin", "ssn", "tax_id"),
    *("account_number", "routing_number", "iban", "swift"),
    *("bank_account", "sort_code"),
)
"""The redacted fields of section 3.1, in its order."""

FIELDS: Final = tuple(dict.fromkeys([*SECTION_3_1, *(name for names in SECTION_1_2.values() for name in names)]))
SECRET: Final = "Zq7xSecretZq7x"
CONTEXT: Final = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))


def _span(field: str) -> str:
    span = ReadableSpan(
        "work",
        CONTEXT,
        attributes=BoundedAttributes(attributes={field: SECRET}),
        events=[Event("e", {field: SECRET})],
        links=[Link(CONTEXT, {field: SECRET})],
    )
    masked = redact_span(span)
    holders = [
        masked.attributes,
        *(event.attributes for event in masked.events),
        *(each.attributes for each in masked.links),
    ]
    assert all(field in (holder or {}) for holder in holders)
    return str([dict(holder or {}) for holder in holders])


def _log_record(field: str) -> str:
    record = LogRecord(body={"nested": {field: SECRET}}, attributes={field: SECRET, "list": [{field: SECRET}]})
    masked = redact_log_record(ReadableLogRecord(record, Resource({}))).log_record
    return str([masked.body, dict(masked.attributes or {})])


CARRIERS: Final[dict[str, Callable[[str], Any]]] = {
    "a mapping": lambda field: redact_value(None, {field: SECRET}),
    "a nested mapping": lambda field: redact_value("body", {"a": [{"b": {field: [SECRET, {"c": SECRET}]}}]}),
    "a list of headers": lambda field: redact_value("headers", [(field.encode(), SECRET.encode()), (field, SECRET)]),
    "JSON": lambda field: redact_text(json.dumps({field: SECRET, "n": 1})),
    "JSON in JSON in JSON": lambda field: redact_text(
        json.dumps({"a": json.dumps({"b": json.dumps({field: SECRET})})})
    ),
    "a dictionary's repr": lambda field: redact_text(repr({field: SECRET})),
    "an assignment": lambda field: redact_text(f'saw {field}="{SECRET}" there') if field != "key" else "",
    "a query": lambda field: redact_query(f"a=1&{field}={SECRET}&b=2"),
    "a URL": lambda field: redact_url(f"https://h/p?a=1&{field}={SECRET}#x"),
    "a fragment": lambda field: redact_url(f"https://h/p#{field}={SECRET}"),
    "XML": lambda field: redact_text(f"<{field}>{SECRET}</{field}>"),
    "a span, its events and links": _span,
    "a log record": _log_record,
    "a line's fields": lambda field: redact_entry({field: SECRET, "extra": {field: SECRET}}),
    "a report to Sentry": lambda field: mask(
        {
            "extra": {field: SECRET, "json": json.dumps({field: SECRET})},
            "breadcrumbs": {"values": [{"data": {field: SECRET}}]},
            "request": {"headers": {field: SECRET}, "query_string": f"{field}={SECRET}", "data": {field: SECRET}},
            "contexts": {"x": {field: SECRET}},
            "tags": {field: SECRET},
        }
    ),
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_the_report_is_masked_in_each_carrier(field: str, carrier: Callable[[str], Any]) -> None:
    assert SECRET not in str(carrier(field))


def test_each_carrier_shows_what_it_holds_under_other_names() -> None:
    for name, carrier in CARRIERS.items():
        assert SECRET in str(carrier("note")), name


def test_the_list_is_that_of_the_report() -> None:
    assert len(SECTION_3_1) == 16
    assert set(SECTION_1_2) == {
        *("passwords", "tokens", "API keys", "e-mail", "phone", "SSN", "credit cards", "authorization headers"),
    }
