"""OTLP over HTTP: statuses, encodings and limits, without sockets."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.applications import Starlette

from mita_otel.console.receive import http
from mita_otel.console.receive.body import LIMIT, Budget
from mita_otel.console.receive.intake import Intake
from mita_otel.console.receive.transaction import Transactions
from mita_otel.console.store.writing import Store
from tests.fixtures.bombs import gzip_bomb
from tests.fixtures.otlp_requests import logs, metrics, record, span, traces

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def budget() -> Budget:
    return Budget(64 * 1024 * 1024)


@pytest.fixture
async def client(transactions: Transactions, budget: Budget) -> AsyncIterator[httpx.AsyncClient]:
    intake = Intake(transactions)
    intake.start()
    app = Starlette(routes=http.routes(intake, budget))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as made:
        yield made
    await intake.close()


def count(store: Store) -> int:
    (found,) = store.connection.execute("SELECT count(*) FROM spans").fetchone()
    return int(found)


@pytest.mark.parametrize(
    ("path", "request_"), [("traces", traces(span())), ("logs", logs(record())), ("metrics", metrics())]
)
async def test_protobuf_is_answered_with_protobuf(client: httpx.AsyncClient, path: str, request_: Any) -> None:
    answer = await client.post(f"/v1/{path}", content=request_.SerializeToString(), headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"


async def test_json_is_answered_with_json(client: httpx.AsyncClient, store: Store) -> None:
    fields = '{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}'
    body = f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{fields}]}}]}}]}}'
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = await client.post("/v1/traces", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert count(store) == 1


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
async def test_gzip_is_unpacked(client: httpx.AsyncClient, store: Store, encoding: str) -> None:
    body = gzip.compress(traces(span()).SerializeToString())
    answer = await client.post("/v1/traces", content=body, headers={**PROTOBUF, "content-encoding": encoding})
    assert answer.status_code == 200
    assert count(store) == 1


async def test_what_is_refused_of_a_request_is_told(client: httpx.AsyncClient) -> None:
    body = traces(span(), span(trace=bytes(16))).SerializeToString()
    answer = await client.post("/v1/traces", content=body, headers=PROTOBUF)
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_spans) == (200, 1)
    assert "trace_id" in told.error_message


async def test_what_is_refused_of_a_json_request_is_told_in_json(client: httpx.AsyncClient) -> None:
    body = '{"resourceSpans": [{"scopeSpans": [{"spans": [{}, {}]}]}]}'
    answer = (await client.post("/v1/traces", content=body, headers=JSON)).json()
    assert answer["partialSuccess"]["rejectedSpans"] == "2"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (PROTOBUF, b"\xff", 400, 3),
        (PROTOBUF, traces(span()).SerializeToString()[:-1], 400, 3),
        (JSON, b"{", 400, 3),
        ({**PROTOBUF, "content-encoding": "gzip"}, b"no gzip", 400, 3),
        ({**PROTOBUF, "content-encoding": "gzip"}, gzip.compress(b"a" * 100)[:-4], 400, 3),
        ({**PROTOBUF, "content-encoding": "gzip"}, gzip.compress(bytes(LIMIT + 1)), 413, 8),
        ({**JSON, "content-encoding": "gzip"}, gzip_bomb(1024), 413, 8),
        (PROTOBUF, bytes(LIMIT + 1), 413, 8),
        ({**PROTOBUF, "content-encoding": "zstd"}, b"", 415, 3),
        ({"content-type": "text/plain"}, b"", 415, 3),
        ({"content-type": ""}, b"", 415, 3),
    ],
    ids=["garbage", "cut", "bad-json", "no-gzip", "cut-gzip", "bomb", "large-bomb", "huge", "zstd", "text", "no-type"],
)
async def test_an_error_is_a_status_in_the_request_s_encoding(
    client: httpx.AsyncClient, store: Store, *, headers: dict[str, str], body: bytes, status: int, code: int
) -> None:
    answer = await client.post("/v1/traces", content=body, headers=headers)
    assert answer.status_code == status
    if answer.headers["content-type"] == "application/x-protobuf":
        found = Status.FromString(answer.content)
        assert found.code == code
        assert found.message
    else:
        assert answer.json()["code"] == code
        assert answer.json()["message"]
    assert count(store) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_only_post_is_taken(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v1/traces")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_full_queue_asks_to_come_again(client: httpx.AsyncClient, budget: Budget, store: Store) -> None:
    body = traces(span()).SerializeToString()
    assert budget.take(64 * 1024 * 1024 - 10)
    answer = await client.post("/v1/traces", content=body, headers=PROTOBUF)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert Status.FromString(answer.content).code == 14
    budget.give(64 * 1024 * 1024 - 10)
    assert (await client.post("/v1/traces", content=body, headers=PROTOBUF)).status_code == 200
    assert count(store) == 1


async def test_the_budget_is_whole_again_after_any_answer(client: httpx.AsyncClient, budget: Budget) -> None:
    for body in (b"\xff", b"", bytes(LIMIT + 5), traces(span()).SerializeToString()):
        await client.post("/v1/traces", content=body, headers=PROTOBUF)
    assert budget.take(64 * 1024 * 1024)


async def test_a_body_that_does_not_come_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_READ_SECONDS", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"\x0a"
        await asyncio.Event().wait()

    answer = await client.post("/v1/traces", content=slow(), headers=PROTOBUF)
    assert answer.status_code == 408
