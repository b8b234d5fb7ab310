"""Whatever is asked, the API answers in JSON and does not fail."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from schemathesis.checks import not_a_server_error
from starlette.applications import Starlette

from mita_otel.console.api import console, jaeger, jaeger_v3, routes
from mita_otel.console.api.endpoints import Endpoint
from mita_otel.console.api.limits import Limits
from tests.fixtures.console_file import AT, Line, Sent, console_file, logs, metrics, pairs, traces
from tests.fixtures.console_objectives import happened, promised, spent

ENDPOINTS = (*jaeger.ENDPOINTS, *jaeger_v3.ENDPOINTS, *console.endpoints(Limits(), 0))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    """The API over a file with something of everything."""
    with console_file(tmp_path_factory.mktemp("any")) as file:
        file.send(traces("a", Sent(attributes={"k": "v", "n": 1}), Sent(id=2, parent=1, kind=3, failed=True)))
        file.send(logs("a", Line("hello world", trace=1, attributes={"k": "v"})))
        counted = Metric(name="m", unit="s")
        counted.sum.is_monotonic, counted.sum.aggregation_temporality = True, 2  # type: ignore[assignment]
        counted.sum.data_points.add(time_unix_nano=AT * 1000, as_int=5, attributes=pairs({"k": "v"}))
        recorded = Metric(name="h", unit="s")
        recorded.histogram.aggregation_temporality = 2  # type: ignore[assignment]
        recorded.histogram.data_points.add(
            time_unix_nano=AT * 1000,
            start_time_unix_nano=AT * 1000 - 10**9,
            count=3,
            explicit_bounds=[1],
            bucket_counts=[1, 2],
        )
        file.send(metrics("a", counted, recorded))
        file.send(metrics("a", happened((0, 9, 1), slo="a"), *promised("a"), spent({"route": {"/": 1}}, slo="a")))
        yield Starlette(routes=routes(file.reader))


@pytest.fixture(scope="module")
def client(app: Starlette) -> Iterator[Any]:
    """Asks the API for a target, which is a path with its query as they stand in the request."""
    with asyncio.Runner() as runner:
        asking = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console")
        yield lambda target: runner.run(asking.get(target))
        runner.run(asking.aclose())


@pytest.fixture(scope="module")
def described(app: Starlette) -> Any:
    """What the API says of itself."""
    return schemathesis.openapi.from_asgi("/api/console/openapi.json", app)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_the_description_leads_to_does_not_fail(described: Any, data: st.DataObject) -> None:
    case = data.draw(described.as_strategy())
    case.call_and_validate(checks=[not_a_server_error])


TEXTS = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(
        [
            "true",
            "0",
            "1",
            "1s",
            "15m",
            "7d",
            "a",
            "m",
            "h",
            "1" * 32,
            "{}",
            '{"k":"v"}',
            '{"k":1e999}',
            "k:v",
            str(2**63),
            "0.5",
            "-1",
        ]
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(str),
)


@st.composite
def targets(draw: st.DrawFn) -> str:
    endpoint: Endpoint = draw(st.sampled_from(ENDPOINTS))
    path = endpoint.path.replace(":path}", "}")
    query = []
    for parameter in endpoint.parameters:
        if f"{{{parameter.name}}}" in path:
            path = path.replace(f"{{{parameter.name}}}", quote(draw(TEXTS.filter(bool)), safe=""))
        else:
            query += [(parameter.name, value) for value in draw(st.lists(TEXTS, max_size=2))]
    if draw(st.booleans()):
        query.append((draw(st.text(max_size=5)), draw(TEXTS)))
    return f"{path}?{urlencode(query, errors='surrogatepass')}"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(targets())
def test_any_parameters_are_answered_or_refused_with_a_reason(client: Any, target: str) -> None:
    answer = client(target)
    assert answer.status_code in {200, 400, 404}, (target, answer.text)
    content = answer.json()
    if answer.status_code == 400:
        message = content["error"]["message"] if "error" in content else content["errors"][0]["msg"]
        assert "=" in message


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ENDPOINTS), st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_in_a_request_are_answered(client: Any, endpoint: Endpoint, path: bytes, query: bytes) -> None:
    parts = endpoint.path.split("{")
    tail = quote(path) if len(parts) > 1 else ""
    answer = client(f"{parts[0]}{tail}?{quote(query, safe='=&%+')}")
    assert answer.status_code < 500


def test_the_description_names_every_path_and_parameter(client: Any) -> None:
    described = client("/api/console/openapi.json").json()["paths"]
    assert set(described) == {endpoint.path.replace(":path}", "}") for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        operation = described[endpoint.path.replace(":path}", "}")]["get"]
        assert [each["name"] for each in operation["parameters"]] == [each.name for each in endpoint.parameters]


def test_only_reading_is_possible(app: Starlette) -> None:
    methods = {method for route in app.routes for method in getattr(route, "methods", ())}
    assert methods == {"GET", "HEAD"}
