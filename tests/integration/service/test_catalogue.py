"""What running services export and what the catalogue lists are the same."""

import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mita_otel.demo import Traffic
from mita_otel.metrics.catalogue import INSTRUMENTS, business, instruments_of
from mita_otel.metrics.instrument import Histogram, Instrument
from mita_otel.stack.databases import Server
from tests.fixtures.otlp_receiver import OtlpReceiver, otlp_receiver_running
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ROOT, ServiceFactory, services

pytestmark = pytest.mark.xdist_group("catalogue")

OVERFLOW = "otel.metric.overflow"
LISTED = set(INSTRUMENTS)
PAGE = (ROOT / "docs" / "what-is-emitted.md").read_text()


@pytest.fixture(scope="module")
def received(
    tmp_path_factory: pytest.TempPathFactory,
    administer: Callable[[str], None],
    shared_postgres: Server,
    shared_redis: Server,
) -> Iterator[OtlpReceiver]:
    """What MITA Finance and a service in need export in their lives."""
    administer("CREATE DATABASE catalogue")
    database, cache = shared_postgres.url_of("catalogue"), shared_redis.url_of("0")
    with services(tmp_path_factory.mktemp("services")) as start, otlp_receiver_running() as receiver:
        _finance(start, receiver, database, cache)
        _crowded(start, receiver, database, cache)
        yield receiver
    administer("DROP DATABASE catalogue WITH (FORCE)")


def _serve(start: ServiceFactory, receiver: OtlpReceiver, app: str, **variables: str) -> tuple[Any, httpx.Client]:
    port = find_free_port()
    process = start(
        ["opentelemetry-instrument", "uvicorn", app, "--port", str(port)],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "300",
            # One process of a service tells of the host: those of other tests must not be of this one.
            "OTEL_SERVICE_NAME": f"catalogue-{uuid4().hex[:6]}",
            "MITA_STRICT": "1",
            "PYTHONPATH": ".",
            **variables,
        },
        url=f"http://127.0.0.1:{port}/health",
    )
    return process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)


def _finance(start: ServiceFactory, receiver: OtlpReceiver, database: str, cache: str) -> None:
    external = f"http://127.0.0.1:{(port := find_free_port())}"
    start([sys.executable, "-m", "app.standin", "--port", str(port)], {"PYTHONPATH": "."}, url=f"{external}/rates")
    process, client = _serve(
        start, receiver, "app.main:app",
        DATABASE_URL=database, REDIS_URL=cache, RATES_API_URL=external, INSIGHTS_API_URL=external,
        MESSAGES_API_URL=external, STORE_API_URL=external, GOOGLE_OAUTH_URL=external, GOOGLE_CLIENT_ID="test",
        GOOGLE_CLIENT_SECRET="test", BACKGROUND_SECONDS="1", MIGRATE_ON_START="true", JWT_SECRET="s" * 40,
        SHARE_BREAKERS="true", MITA_RATE_LIMITING="true", MITA_SLO_FILE="collector/slo/mita.yaml",
        MITA_ALERTMANAGER_URL="http://127.0.0.1:9",
    )  # fmt: skip
    with client:
        traffic = Traffic(str(client.base_url).rstrip("/"))
        traffic.sign_up()
        traffic.tour()
        # What spends a budget is not among what users do.
        httpx.put(f"{external}/behaviour", json={"error_rate": 1})
        traffic._buy()
        assert traffic.sent[503]
        # Two collections: the first one's duration is exported by the second. Some things happen after their request.
        wanted = {instrument.name for instrument in instruments_of(business)}
        wanted |= {"mita.slo.spent", "otel.sdk.metric_reader.collection.duration", "mita.event_loop.lag"}
        eventually(lambda: wanted <= receiver.metric_names, timeout=30)
    process.terminate()
    process.wait()


def _crowded(start: ServiceFactory, receiver: OtlpReceiver, database: str, cache: str) -> None:
    process, client = _serve(
        start, receiver, "tests.integration.service.crowded:app",
        DATABASE_URL=database.replace("postgresql://", "postgresql+asyncpg://"), MITA_CARDINALITY_LIMIT="10",
        REDIS_URL=cache, MITA_SLOW_QUERY_SECONDS="0.01", MITA_N_PLUS_ONE="3", SENTRY_DSN="http://key@127.0.0.1:9/1",
        HANGING="yes",
    )  # fmt: skip
    with client:
        assert client.get("/repeats/3").json() == {"slow": ["SELECT"]}
        assert client.get("/answers/1").json() == {"answer": 2}
        assert client.get("/crowd").json() == {"timed_out": True}
        assert [client.get(f"/status/{code}").status_code for code in range(200, 220)][-1] == 219
        eventually(lambda: "mita.metric.callback.timeouts" in receiver.metric_names)
    process.terminate()
    process.wait()


def _kind(point: dict[str, Any]) -> str:
    return {True: "counter", False: "up-down counter"}[point["monotonic"]] if point["kind"] == "sum" else point["kind"]


def _differences(instrument: Instrument, point: dict[str, Any]) -> Iterator[str]:
    if (_kind(point), point["unit"]) != (instrument.kind, instrument.unit):
        yield f"is a {_kind(point)} in {point['unit']}"
    if instrument.made_by == "mita_otel" and point["description"] != instrument.description:
        yield f"is described as {point['description']!r}"
    if isinstance(instrument, Histogram) and tuple(point["bounds"]) != instrument.buckets:
        yield f"has the buckets {point['bounds']}"
    for name, value in point["attributes"].items():
        attribute = instrument.attribute(name)
        if name != OVERFLOW and (attribute is None or not attribute.allows(value)):
            yield f"has {name}={value!r}"


def test_every_metric_that_a_service_exports_is_in_the_catalogue(received: OtlpReceiver) -> None:
    assert received.metric_names - LISTED == set()


def test_every_instrument_of_the_catalogue_is_exported_by_a_service(received: OtlpReceiver) -> None:
    assert LISTED - received.metric_names == set()


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda instrument: instrument.name)
def test_a_metric_is_exported_as_the_catalogue_says(received: OtlpReceiver, instrument: Instrument) -> None:
    points = received.metric_points(instrument.name)
    assert {difference for point in points for difference in _differences(instrument, point)} == set()


def test_every_attribute_of_the_catalogue_is_exported_unless_it_tells_of_a_failure(received: OtlpReceiver) -> None:
    missing = {
        f"{instrument.name}: {name}"
        for instrument in INSTRUMENTS.values()
        for name in instrument.attribute_names - {"error.type"}
        if not any(name in point["attributes"] for point in received.metric_points(instrument.name))
    }
    assert missing == set()


def test_every_attribute_of_a_span_and_of_the_resource_is_on_the_page_of_what_is_emitted(
    received: OtlpReceiver,
) -> None:
    exported = {name for span in received.spans for part in ("attributes", "resource") for name in span[part]}
    assert len(exported) > 20
    assert {name for name in exported if f"`{name}`" not in PAGE} == set()
