"""Values of any type and size can be judged; what cannot is masked; a policy can be extended."""

import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.redaction import (
    DEFAULT,
    PATTERNS,
    REDACTED,
    Pattern,
    Policy,
    cap,
    redact_query,
    redact_text,
    redact_url,
    redact_value,
)
from tests.unit.redaction.forms import harmless, secrets

_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), secrets, harmless),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(
            st.one_of(st.text(), st.sampled_from(["password", "note", "card"]), secrets), inner, max_size=4
        ),
    ),
    max_leaves=8,
)
_fragments = st.lists(
    st.one_of(
        secrets,
        harmless,
        st.sampled_from(
            ["password=", "token: ", '"', "'", "\\", "[", "]", "{", "}", "(", "=", ":", "@", "-", " ", "\n"]
        ),
        st.sampled_from(["Bearer ", "cookie: ", "://", "+1", "&", "%40", "%20", "<pin>", "eyJ", "."]),
        st.text(max_size=5),
    ),
    max_size=8,
).map("".join)


class Broken:
    def __str__(self) -> str:
        raise ValueError("4111111111111111")

    __repr__ = __str__


@given(_values)
def test_a_second_time_changes_nothing(value: Any) -> None:
    once = redact_value("value", value)
    assert repr(redact_value("value", once)) == repr(once)


@given(_fragments)
def test_a_text_masked_twice_is_as_masked_once(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(_fragments)
def test_a_query_and_a_url_of_any_kind_can_be_judged(text: str) -> None:
    assert isinstance(redact_query(text), str)
    assert isinstance(redact_url(text), str)


@pytest.mark.parametrize("value", [Broken(), [Broken()], {"a": Broken()}, {"a": {"b": (Broken(),)}}])
def test_an_object_without_a_text_is_masked(value: object) -> None:
    assert "4111" not in repr(redact_value("value", value))


def test_an_object_becomes_its_masked_text() -> None:
    assert redact_value(None, ValueError("card 4111111111111111")) == f"card {REDACTED}"


@pytest.mark.parametrize("value", [Decimal("12.50"), datetime.now(UTC), UUID(int=7), 1.5, 7, True, None, ""])
def test_plain_values_stay_as_they_are(value: object) -> None:
    assert redact_value("amount", value) is value


@pytest.mark.parametrize("value", ["hunter2", 1234, 1.5, b"x", ["a"], {"a": 1}, Decimal(1)])
def test_the_value_of_a_sensitive_key_is_masked_whole(value: object) -> None:
    assert redact_value("user.password", value) == REDACTED


@pytest.mark.parametrize("value", [None, True, ""])
def test_that_there_is_no_value_may_be_seen(value: object) -> None:
    assert redact_value("password", value) is value


def test_headers_as_pairs_are_judged_by_name() -> None:
    headers = [(b"authorization", b"x"), (b"host", b"y"), ["cookie", "z"]]
    assert redact_value("headers", headers) == [(b"authorization", REDACTED), (b"host", b"y"), ["cookie", REDACTED]]


def test_keys_that_are_masked_stay_apart() -> None:
    assert redact_value(None, {"a@example.org": 1, "b@example.org": 2}) == {REDACTED: 1, f"{REDACTED}#2": 2}


def test_what_is_given_is_not_changed() -> None:
    given_value = {"password": "x", "list": ["a@example.org"]}
    redact_value(None, given_value)
    assert given_value == {"password": "x", "list": ["a@example.org"]}


def test_a_value_that_contains_itself_ends() -> None:
    circular: list[object] = []
    circular += [circular] * 100
    assert REDACTED in repr(redact_value(None, circular))


def test_a_long_text_is_cut_and_says_so() -> None:
    masked = redact_text("x" * 1_000_000)
    assert masked.endswith("...[truncated, 1000000 characters]")
    assert len(masked) <= DEFAULT.text_limit


def test_a_cut_through_a_secret_leaves_none_of_it() -> None:
    text = "x " * (DEFAULT.text_limit // 2 - 5) + "4111 1111 1111 1111 " + "x" * 100
    assert "4111" not in redact_text(text)


def test_what_is_remembered_as_clean_is_bounded_and_holds_no_secret() -> None:
    policy = Policy()
    for number in range(10_000):
        policy.text(f"user {number}")
        policy.text(f"user {number} password=x")
        policy.statement(f"SELECT {number} FROM t{number}")
    assert len(policy._clean) <= 4096
    assert not any("password" in text and "[REDACTED]" not in text for text in policy._clean)
    assert not policy._clean_statements


def test_cap_says_how_long_the_text_was() -> None:
    assert cap("x" * 200, 100) == "x" * 70 + "...[truncated, 200 characters]"
    assert cap("short", 100) == "short"


def _fail(_: str) -> str:
    raise RuntimeError("4111111111111111")


def test_a_fault_masks_the_value() -> None:
    broken = Policy(patterns=(Pattern("broken", _fail),))
    assert broken.text("anything") == REDACTED
    assert broken.value("a", {1: "anything"}) == {1: REDACTED}
    assert broken.url("https://h/anything") != "https://h/anything"
    assert broken.query("a=anything") == f"{REDACTED}={REDACTED}"


def test_a_statement_that_cannot_be_read_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.redaction.statements.redact_statement", _fail)
    assert DEFAULT.statement("SELECT 1") == REDACTED


def test_a_policy_takes_more_names_and_forms() -> None:
    record = Pattern("medical record", partial(re.compile(r"\bMRN-[0-9]{8}\b").sub, REDACTED), ("mrn-",), digits=8)
    policy = Policy(keys=DEFAULT.keys.with_words("diagnosis"), patterns=(*PATTERNS, record))
    assert policy.value(None, {"diagnosis": "flu", "note": "see MRN-12345678"}) == {
        "diagnosis": REDACTED,
        "note": f"see {REDACTED}",
    }


@pytest.mark.parametrize(
    "shape",
    [
        "1",
        "@",
        "a",
        " ",
        "=",
        "a@",
        "1 ",
        "eyJ",
        "eyJ.",
        "://",
        '"',
        "\\",
        "(",
        "[",
        "token=",
        "-",
        "'",
        "é",
        "%",
        "+1",
    ],
)
@pytest.mark.parametrize("judge", [DEFAULT.text, DEFAULT.statement, DEFAULT.url, DEFAULT.query])
def test_ten_times_the_text_takes_at_most_linear_time(shape: str, judge: Any) -> None:
    def fastest(length: int) -> float:
        text = (shape * length)[:length]
        times = []
        for _ in range(3):
            start = time.thread_time()
            judge(text)
            times.append(time.thread_time() - start)
        return min(times)

    # Ten for the length, and room for a machine that others use; a square would be a hundred.
    assert fastest(1_000_000) < 40 * fastest(100_000) + 0.005


@pytest.mark.parametrize(
    "shape", ["1", "a@", "4111 ", "DE89 ", "password=", "://a@", "<a>", "eyJ.", "+1 ", "[", "'", "12-"]
)
def test_within_the_limit_time_is_linear_too(shape: str) -> None:
    def fastest(length: int) -> float:
        text = (shape * length)[:length]
        times = []
        for _ in range(5):
            start = time.thread_time()
            redact_text(text)
            times.append(time.thread_time() - start)
        return min(times)

    assert fastest(32_000) < 40 * fastest(3_200) + 0.005
