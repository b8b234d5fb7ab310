"""The body of an error answer."""

import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.errors.body import PLAIN, PROBLEM, SCHEMA, body, media_type, new_error_id, title_of

REPORT = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "object", "required": ["code", "message", "error_id", "timestamp"]},
    },
}
RFC_9457 = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
    },
}
"""As RFC 9457, appendix A, has it."""


@given(
    st.fixed_dictionaries(
        {
            "status": st.integers(400, 599),
            "code": st.from_regex(r"[A-Z][A-Z0-9]{0,9}(_[A-Z0-9]{1,9}){0,3}", fullmatch=True),
            "message": st.text(),
            "at": st.floats(0, 4e9),
            "trace_id": st.sampled_from(["", "a" * 32]),
            "details": st.none() | st.lists(st.dictionaries(st.text(), st.text())),
        }
    )
)
def test_every_body_is_what_both_readers_expect(told: dict[str, Any]) -> None:
    made = body(error_id=new_error_id(), **told)
    for schema in (REPORT, RFC_9457, SCHEMA):
        jsonschema_rs.validate(dict(schema), made)


def test_the_example_of_the_report() -> None:
    made = body(
        status=422, code="VALIDATION_2002", message="Invalid input data", error_id="mita_507f1f77bcf8",
        at=1705314600.0, types="https://errors.mita.finance/",
    )  # fmt: skip
    assert made == {
        "type": "https://errors.mita.finance/VALIDATION_2002",
        "title": "Invalid input",
        "status": 422,
        "detail": "Invalid input data",
        "instance": "urn:mita:error:mita_507f1f77bcf8",
        "success": False,
        "error": {
            "code": "VALIDATION_2002",
            "message": "Invalid input data",
            "error_id": "mita_507f1f77bcf8",
            "timestamp": "2024-01-15T10:30:00.000Z",
        },
    }


def test_an_id_is_of_chance() -> None:
    ids = {new_error_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"mita_[0-9a-f]{12}", each) for each in ids)


@pytest.mark.parametrize(
    ("code", "title"), [("AUTH_1001", "Authentication or authorisation failed"), ("EMAIL_TAKEN", "Email taken")]
)
def test_a_code_has_a_title(code: str, title: str) -> None:
    assert title_of(code) == title


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json", PLAIN),
        ("application/problem+json", PROBLEM),
        ("application/json, application/problem+json", PROBLEM),
        ("application/json, application/problem+json;q=0.5", PLAIN),
        ("application/problem+json;q=0", PLAIN),
        ("application/problem+json;q=nonsense", PLAIN),
        ("Application/Problem+JSON ; q=0.9 , text/html", PROBLEM),
    ],
)
def test_the_media_type_is_what_the_client_asked_for(accept: str, expected: str) -> None:
    assert media_type(accept) == expected


@given(st.text())
def test_any_accept_has_an_answer(accept: str) -> None:
    assert media_type(accept) in {PLAIN, PROBLEM}


def test_message_and_details_are_masked() -> None:
    details: Any = {"seen": [{"card_number": "4111", "note": "ann@example.org"}], "limit": 100}
    made = body(status=400, code="X_1", message="card 4111 1111 1111 1111 refused", error_id="i", at=0, details=details)
    assert made["detail"] == made["error"]["message"] == "card [REDACTED] refused"
    assert made["error"]["details"] == {"seen": [{"card_number": "[REDACTED]", "note": "[REDACTED]"}], "limit": 100}
