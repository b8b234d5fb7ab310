"""Baggage: read within limits, passed on only where it may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator

from mita_otel.traces.propagation import (
    MAX_BAGGAGE_LENGTH,
    MAX_BAGGAGE_MEMBERS,
    BaggagePropagator,
    baggage_header,
    parse_baggage,
    propagator,
)


def received(*headers: str) -> dict[str, object]:
    return dict(baggage.get_all(BaggagePropagator().extract({"baggage": list(headers)}, Context())))


def test_members_of_all_headers_are_read() -> None:
    assert received("tenant=a, region = eu ", "plan=pro") == {"tenant": "a", "region": "eu", "plan": "pro"}


def test_values_are_percent_decoded_and_a_plus_sign_stays() -> None:
    assert received("name=J%C3%BCrgen%20B+C") == {"name": "J\u00fcrgen B+C"}


def test_properties_are_left_out() -> None:
    assert received("tenant=a;ttl=30;secret") == {"tenant": "a"}


@pytest.mark.parametrize("member", ["", "=", "=1", "novalue", "a b=1", "\u00e9=1", 'k="q"', "k=\x00", "k=a b"])
def test_a_malformed_member_is_left_out_alone(member: str) -> None:
    assert received(f"first=1,{member},last=2") == {"first": "1", "last": "2"}


def test_64_kib_are_cut_to_the_limit_in_whole_members() -> None:
    kept = received(",".join(f"key{number:04}={'v' * 91}" for number in range(650)))

    assert next(iter(kept)) == "key0000"
    assert set(kept.values()) == {"v" * 91}
    assert len(kept) == MAX_BAGGAGE_LENGTH // 100


def test_one_member_of_64_kib_is_left_out() -> None:
    assert received(f"first=1,huge={'v' * 65_536}") == {"first": "1"}


def test_more_members_than_allowed_are_left_out() -> None:
    assert len(received(",".join(f"k{number}=1" for number in range(500)))) == MAX_BAGGAGE_MEMBERS


def test_the_baggage_of_a_context_is_written() -> None:
    carrier: dict[str, str] = {}
    BaggagePropagator().inject(carrier, baggage.set_baggage("tenant", "a b", Context()))

    assert carrier == {"baggage": "tenant=a%20b"}


def test_an_empty_baggage_is_not_written() -> None:
    carrier: dict[str, str] = {}
    BaggagePropagator().inject(carrier, Context())

    assert carrier == {}


def test_what_is_sent_stays_within_the_limits() -> None:
    header = baggage_header((f"k{number}", "\u20ac" * 100) for number in range(500))

    assert len(header) <= MAX_BAGGAGE_LENGTH
    assert header.startswith("k0=%E2%82%AC")


def test_trace_context_and_baggage_are_the_default() -> None:
    assert propagator().fields == {"traceparent", "tracestate", "baggage"}


def test_the_standard_variable_chooses_the_propagators() -> None:
    assert propagator(["tracecontext"]).fields == {"traceparent", "tracestate"}


def test_none_propagates_nothing() -> None:
    chosen = propagator(["none"])

    assert isinstance(chosen, CompositePropagator)
    assert chosen.fields == set()


def test_an_unknown_propagator_is_named() -> None:
    with pytest.raises(ValueError, match="OTEL_PROPAGATORS='smoke'"):
        propagator(["smoke"])


@given(st.lists(st.text(), max_size=4))
def test_no_text_makes_it_fail(headers: list[str]) -> None:
    parse_baggage(headers)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9_.\-]{1,20}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=20),
        max_size=8,
    )
)
def test_what_is_sent_is_what_is_received(members: dict[str, str]) -> None:
    assert dict(parse_baggage([baggage_header(members.items())])) == members
