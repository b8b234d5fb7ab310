"""Bodies become batches of items as they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.receive.body import RefusedError
from mita_otel.console.receive.decode import batches_of
from mita_otel.console.store.writing import Batch, Signal
from tests.fixtures.otlp_requests import resource, span, traces


def test_a_batch_is_a_resource_a_scope_and_its_items() -> None:
    request = traces(one := span(), two := span())
    request.resource_spans[0].scope_spans[0].scope.name = "flask"
    (found,) = batches_of(Signal.TRACES, request.SerializeToString(), is_json=False)
    scope = request.resource_spans[0].scope_spans[0].scope
    assert found._replace(items=list(found.items)) == Batch(
        resource().SerializeToString(), scope.SerializeToString(), [one.SerializeToString(), two.SerializeToString()]
    )


def test_an_empty_body_is_an_empty_request() -> None:
    assert batches_of(Signal.LOGS, b"", is_json=False) == []
    assert batches_of(Signal.LOGS, b"{}", is_json=True) == []


@pytest.mark.parametrize("body", [b"\x0a\x05abc", b"\xff\xff", b"hello, world"])
def test_what_is_no_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="ExportMetricsServiceRequest") as refused:
        batches_of(Signal.METRICS, body, is_json=False)
    assert refused.value.status == 400


def status_of(body: bytes, *, is_json: bool) -> int:
    try:
        batches_of(Signal.TRACES, body, is_json=is_json)
    except RefusedError as refused:
        return refused.status
    return 200


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, is_json: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    assert status_of(body, is_json=is_json) in {200, 400}


@given(st.integers(0, 200))
def test_a_body_that_is_cut_is_read_or_refused(length: int) -> None:
    body = traces(span(colour="red")).SerializeToString()[:length]
    assert status_of(body, is_json=False) in {200, 400}
