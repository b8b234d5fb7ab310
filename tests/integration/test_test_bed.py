"""The test bed itself: real servers answer, and the receiver understands the stock exporters."""

import time

import asyncpg
import pytest
import redis
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from tests.fixtures.otlp_receiver import OtlpReceiver


async def test_postgresql_answers(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT 40 + 2") == 42
    await connection.close()


def test_redis_answers_and_starts_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_receiver_understands_the_stock_exporters(otlp_receiver: OtlpReceiver, protocol: str) -> None:
    exporter: SpanExporter = (
        HttpSpanExporter(f"{otlp_receiver.http_endpoint}/v1/traces")
        if protocol == "http"
        else GrpcSpanExporter(otlp_receiver.grpc_endpoint, insecure=True)
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("work", attributes={"number": 1, "list": ["a", "b"]}):
        time.monotonic()
    provider.shutdown()
    (span,) = otlp_receiver.spans
    assert (span["name"], span["attributes"]) == ("work", {"number": 1, "list": ["a", "b"]})
