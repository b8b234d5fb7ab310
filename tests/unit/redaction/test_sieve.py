"""The cheap look says too much or the truth: what it lets pass untouched, no form would have masked."""

import re
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mita_otel.redaction import PATTERNS, REDACTED, Pattern
from mita_otel.redaction.sieve import Sieve
from tests.unit.redaction.forms import cards, harmless, ibans, plain_words, secrets, ssns

_SIEVE = Sieve(PATTERNS)
_OTHER_FORMS = st.sampled_from(
    [
        *("+44 20 7946 0958", "(555) 123-4567", "1-800-555-1234", "555.123.4567", "1 (800) 555-1234", "+1(555)1234567"),
        *("sk-proj-abcdefghij0123456789", "AKIAIOSFODNN7EXAMPLE", "ghp_abcdefghijklmnopqrst0123456789abcdef"),
        *("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "xoxb-123456789012-abcdef", "Basic dTpw", "bearer abc.def-1234"),
        *("-----BEGIN PRIVATE KEY-----\nMIIE", "postgresql://app:secret@db/x", "bob%40example.org"),
    ]
)


def _searched(text: str) -> str:
    for pattern in PATTERNS:
        text = pattern.mask(text)
    return text


@given(st.lists(st.one_of(secrets, _OTHER_FORMS, harmless, plain_words, st.text(max_size=4)), max_size=4).map("".join))
@example("4111\u202f1111\u20111111\u00a01111")
@example("+1234567")
@example("a123-45-6789 123-45-6789")
def test_a_text_that_passes_holds_no_form(text: str) -> None:
    if _SIEVE.is_plain(text):
        assert _searched(text) == text


@given(st.one_of(secrets, _OTHER_FORMS, cards(), ibans(), ssns()))
def test_no_form_passes(text: str) -> None:
    assert not _SIEVE.is_plain(text)


@given(st.one_of(secrets, _OTHER_FORMS))
def test_only_the_patterns_concerned_are_searched_for_and_they_are_enough(text: str) -> None:
    masked = text
    for pattern in _SIEVE.concerned(text):
        masked = pattern.mask(masked)
    assert masked == _searched(text)


@pytest.mark.parametrize(
    "text",
    [
        *("/api/transactions/{id}", "orders-7.internal", "10.0.0.255", "GET", "python-httpx/0.28.1", "0.123456789"),
        "SELECT id, name FROM users WHERE id = $1 AND created_at > $2",
        "2026-11-24 12:34:56.123456+00:00 worker 12345 started in 0.123456 seconds",
        "request of user 12345 took 12.5 ms and 3 queries, 2 of them slow",
        "task_1 at disk_0 of host x-2 through message 17",
    ],
)
def test_what_telemetry_is_full_of_passes(text: str) -> None:
    assert _SIEVE.is_plain(text)


def _form(**more: object) -> Pattern:
    return Pattern("form", partial(re.compile("x").sub, REDACTED), **more)  # type: ignore[arg-type] # of the caller's choice


@pytest.mark.parametrize(
    ("form", "concerns", "passes"),
    [
        (_form(), "anything", None),
        (_form(hints=("mrn-",)), "see MRN-1", "see 1"),
        (_form(digits=3), "1, 2, 3", "none"),
        (_form(hints=("mrn-",), digits=1), "MRN-1", "MRN-"),
        (_form(sieve=re.compile("[0-9]x"), digits=1), "7x", "7y"),
    ],
    ids=["without conditions", "hint", "digits", "hint and digits", "sieve"],
)
def test_a_form_of_somebody_else_is_searched_for_by_its_own_conditions(
    form: Pattern, concerns: str, passes: str | None
) -> None:
    sieve = Sieve([form])
    assert not sieve.is_plain(concerns)
    assert list(sieve.concerned(concerns)) == [form]
    if passes is not None:
        assert sieve.is_plain(passes)
        assert not list(sieve.concerned(passes))
