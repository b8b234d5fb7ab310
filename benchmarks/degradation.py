"""What users notice of a language model that is away: `python -m benchmarks.degradation`.

MITA Finance on PostgreSQL and Redis is asked for transactions at a steady rate, first with the model answering, then
with it away, in turns; beside them somebody asks for insights. Printed are the latencies of the transactions with and
without the model, and how long it takes until insights are full again, which the breaker's minute decides.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from mita_otel.stack import databases
from mita_otel.stack.ports import free_port

ROOT = Path(__file__).parent.parent
RATE = 50
"""Requests a second: a fifth of what the service bears on two busy cores."""
SECONDS = 6
ROUNDS = 5
LIMITS = httpx.Limits(keepalive_expiry=2)
"""Shorter than the 5 s after which the server closes a connection that is not used."""


async def latencies(client: httpx.AsyncClient) -> list[float]:
    """Ask for transactions at the rate, and for insights once a second; return the milliseconds of the former."""
    found: list[float] = []

    async def ask() -> None:
        began = time.perf_counter()
        (await client.get("/api/transactions")).raise_for_status()
        found.append((time.perf_counter() - began) * 1000)

    async with asyncio.TaskGroup() as asking:
        for number in range(RATE * SECONDS):
            asking.create_task(ask())
            if number % RATE == 0:
                asking.create_task(client.get("/api/insights"))
            await asyncio.sleep(1 / RATE)
    return found


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def drill(service: str, external: str) -> None:
    async with (
        httpx.AsyncClient(base_url=service, timeout=30, limits=LIMITS) as client,
        httpx.AsyncClient(base_url=external) as model,
    ):
        user = {"email": "drill@example.com", "password": "correct horse", "currency": "USD"}
        token = (await client.post("/api/auth/register", json=user)).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        await latencies(client)
        with_model: list[float] = []
        without: list[float] = []
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
            await model.put("/behaviour", json={})
            with_model += await latencies(client)
            await model.put("/behaviour", json={"error_rate": 1})
            without += await latencies(client)
        print(f"p50 {statistics.median(with_model):.1f} ms with the model, {statistics.median(without):.1f} ms without")
        print(f"p99 {p99(with_model):.1f} ms with the model, {p99(without):.1f} ms without")
        await model.put("/behaviour", json={})
        began = time.perf_counter()
        while "x-degraded" in (await client.get("/api/insights")).headers:  # noqa: ASYNC110 - the service tells of no event
            await asyncio.sleep(0.5)
        print(f"insights were full again {time.perf_counter() - began:.0f} s after the model was back")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    external, service = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    with (
        _folder() as name,
        databases.postgres_server(Path(name) / "postgres") as postgres,
        databases.redis_server(Path(name) / "redis") as redis,
    ):
        environment = os.environ | {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "MIGRATE_ON_START": "true",
            "INSIGHTS_API_URL": external,
            "JWT_SECRET": "s" * 40,
            "AUDIT_FOLDER": f"{name}/audit",
            "OTEL_SDK_DISABLED": "true",
            "MITA_RATE_LIMITING": "false",
        }
        programs = [
            [sys.executable, "-m", "app.standin", "--port", external.rpartition(":")[2]],
            [
                sys.executable,
                "-m",
                "uvicorn",
                "app.main:app",
                "--port",
                service.rpartition(":")[2],
                "--log-level",
                "error",
            ],
        ]
        running = [
            subprocess.Popen(program, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) for program in programs
        ]
        try:
            _wait(f"{service}/health")
            asyncio.run(drill(service, external))
        finally:
            for process in running:
                process.terminate()
                process.wait()


@contextmanager
def _folder() -> Iterator[str]:
    """A folder that every user may enter, PostgreSQL's too."""
    with tempfile.TemporaryDirectory(prefix="mita-drill-") as name:
        Path(name).chmod(0o755)
        yield name


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} did not answer within 60 s")


if __name__ == "__main__":
    main()
