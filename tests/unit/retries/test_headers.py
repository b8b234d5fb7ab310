from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.retries.headers import NAMES, read, written


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("grpc-timeout", "1H", 3600),
        ("grpc-timeout", "2M", 120),
        ("grpc-timeout", "3S", 3),
        ("grpc-timeout", "500m", 0.5),
        ("grpc-timeout", "500u", 0.0005),
        ("grpc-timeout", "500n", 5e-7),
        ("grpc-timeout", "99999999H", 99_999_999 * 3600),
        ("x-envoy-expected-rq-timeout-ms", "15000", 15),
        ("x-envoy-expected-rq-timeout-ms", " 15 ", 0.015),
        ("x-request-timeout", "5", 5),
        ("x-request-timeout", "0.25", 0.25),
        ("x-request-timeout", "2s", 2),
        ("x-request-timeout", "250ms", 0.25),
    ],
)
def test_a_header_says_how_long_its_caller_waits(name: str, value: str, seconds: float) -> None:
    wish = read([(name.encode(), value.encode())])
    assert wish.seconds == pytest.approx(seconds)
    assert (wish.header, wish.malformed) == (name, ())


NONSENSE = ["", "-1", "0", "1.5.2", "1e9", "inf", "nan", "soon", "0x10", "+5", "5 S", "9" * 25, "\xb2", "5;", "1_0"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [*NONSENSE, "5x", "0S", "0ms", "-5S", "999999999H"])
def test_nonsense_says_nothing(name: str, value: str) -> None:
    wish = read([(name.encode(), value.encode("latin-1"))])
    assert (wish.seconds, wish.header, wish.malformed) == (inf, "", (name,))


def test_the_least_of_several_counts_whatever_the_others_say() -> None:
    headers = [
        (b"grpc-timeout", b"5S"),
        (b"x-request-timeout", b"soon"),
        (b"x-request-timeout", b"2"),
        (b"x-envoy-expected-rq-timeout-ms", b"3000"),
        (b"host", b"service"),
    ]
    wish = read(headers)
    assert (wish.seconds, wish.header, wish.malformed) == (2.0, "x-request-timeout", ("x-request-timeout",))


@given(st.lists(st.tuples(st.sampled_from([name.encode() for name in NAMES]), st.binary(max_size=40)), max_size=5))
def test_no_header_breaks_it(headers: list[tuple[bytes, bytes]]) -> None:
    wish = read(headers)
    assert wish.seconds > 0
    assert len(wish.malformed) <= len(headers)


@given(st.floats(0.001, 3600))
def test_what_is_passed_on_is_understood_and_never_more(seconds: float) -> None:
    passed = [(name.encode(), value.encode()) for name, value in written(seconds).items()]
    for each in passed:
        assert read([each]).malformed == ()
        assert 0 < read([each]).seconds <= seconds + 1e-9


def test_a_last_microsecond_is_passed_on_as_a_millisecond() -> None:
    assert written(1e-6) == {"x-request-timeout": "0.001", "x-envoy-expected-rq-timeout-ms": "1"}
