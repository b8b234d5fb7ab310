"""What a bad event is put down to."""

from collections.abc import Iterator

import pytest

from mita_otel.slo.ledger.causes import NONE, Cause, of_event, of_request
from mita_otel.traces import request
from mita_otel.traces.request import Served


@pytest.fixture
def served() -> Iterator[Served]:
    token = request.begin(timing=True)
    found = request.current()
    assert found is not None
    yield found
    request.restore(token)


def _of_request(status: int = 500, seconds: float = 1.0, failure: BaseException | None = None) -> Cause:
    return of_request("/orders/{id}", status, seconds, failure, version="1.2")


def test_without_a_request_under_way_there_is_little_to_say() -> None:
    assert _of_request(503) == Cause("/orders/{id}", "503", NONE, "1.2", NONE)
    assert of_request("", 500, 1, None).route == NONE


def test_an_exception_is_named_by_the_class_of_what_it_began_with(served: Served) -> None:
    served.error = "told"
    failure = RuntimeError()
    failure.__cause__ = ConnectionRefusedError()
    assert _of_request(failure=failure).error_type == "ConnectionRefusedError"


def test_an_exception_that_was_answered_is_known_from_who_reported_it(served: Served) -> None:
    request.erred("OrderError")
    request.erred("500")
    assert _of_request().error_type == served.error == "OrderError"


def test_the_dependency_that_failed_last_is_to_blame(served: Served) -> None:
    request.waited("postgresql/shop", 0.9)
    request.failed("redis/0")
    request.failed("openai")
    assert _of_request().dependency == served.failed == "openai"


def test_a_slow_request_is_put_down_to_what_it_waited_for_most(served: Served) -> None:
    request.failed("redis/0")
    request.waited("postgresql/shop", 0.3)
    request.waited("api.example.com", 0.2)
    request.waited("postgresql/shop", 0.3)
    assert _of_request(200)[1:3] == ("slow", "postgresql/shop")
    assert served.waits == {"postgresql/shop": 0.6, "api.example.com": 0.2}


def test_a_slow_request_that_waited_for_nobody_is_slow_by_itself(served: Served) -> None:
    request.waited("postgresql/shop", 0.3)
    assert served.failed is None
    assert _of_request(200)[1:3] == ("slow", NONE)


def test_flags_are_told_with_their_variants(served: Served) -> None:
    request.evaluated("insights", "on")
    request.evaluated("cheap", "off")
    assert _of_request().flag == "cheap=off, insights=on"
    for number in range(100):
        request.evaluated(f"z{number}", "on")
    assert served.flags is not None
    assert (len(served.flags), _of_request().flag) == (16, "cheap=off, insights=on, z0=on, 13 more")


def test_an_event_is_put_down_to_the_request_under_way(served: Served) -> None:
    served.route = lambda: "/receipts"
    request.failed("ocr")
    request.evaluated("ocr", "fast")
    assert of_event("receipts", version="2") == Cause("/receipts", "receipts", "ocr", "2", "ocr=fast")


def test_an_event_that_an_exception_made_bad_is_named_by_it() -> None:
    try:
        int("receipt")
    except ValueError:
        assert of_event("receipts").error_type == "ValueError"
    assert of_event("receipts").error_type == "receipts"


def test_waits_are_timed_only_where_somebody_wants_to_know() -> None:
    token = request.begin()
    request.waited("redis/0", 1)
    found = request.current()
    assert found is not None
    assert found.waits is None
    request.restore(token)
