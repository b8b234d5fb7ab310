"""What a probe costs beside the server that takes it: `python -m benchmarks.health_probes`.

The application behind is asked the same way, rounds interleaved; the difference of the medians is what the endpoints
add. Processor time, so that neighbours on the machine do not count.
"""

import asyncio
import statistics
import time
from typing import Any

from mita_otel.health import About, Health
from mita_otel.health.checks import application, system
from mita_otel.web.health import HealthEndpoints, Watched

ROUNDS = 7
PROBES = 50_000
HEADERS = [
    (b"host", b"10.0.0.1:8000"),
    (b"user-agent", b"kube-probe/1.33"),
    (b"accept", b"*/*"),
    (b"connection", b"close"),
]


async def bare(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def microseconds(app: Any) -> float:
    """Return the processor time of one probe."""
    scope = {"type": "http", "method": "GET", "path": "/health/ready", "headers": HEADERS}

    async def send(_: Any) -> None: ...

    began = time.process_time_ns()
    for _ in range(PROBES):
        await app(scope, None, send)
    return (time.process_time_ns() - began) / PROBES / 1000


async def main() -> None:
    health = Health([system(), application()])
    async with health.running():
        endpoints = HealthEndpoints(bare, lambda _: Watched(health, About()))
        rounds = [(await microseconds(bare), await microseconds(endpoints)) for _ in range(ROUNDS)]
    without, with_ = (statistics.median(each) for each in zip(*rounds, strict=True))
    spread = ", ".join(f"{each[1]:.2f}" for each in rounds)
    print(f"bare {without:.2f} us, /health/ready {with_:.2f} us ({spread})")
    print(f"1,000 probes a second: {with_ / 10:.2f} % of a core")


if __name__ == "__main__":
    asyncio.run(main())
