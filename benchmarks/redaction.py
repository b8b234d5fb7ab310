"""What masking costs: clean values as telemetry is full of them, sensitive ones, and a megabyte of the worst.

Run `python -m benchmarks.redaction`; `--json` prints the figures for a machine. Medians of the thread's CPU time, so
that neighbours count as little as they can. A value is judged the first time it is seen (fresh) or again (seen: names,
statements and routes come back with every request).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from mita_otel.redaction import DEFAULT, Policy
from mita_otel.traces.redaction import redact_attributes

SERVER_SPAN: Final = {
    "http.request.method": "GET",
    "http.route": "/api/transactions/{id}",
    "url.path": "/api/transactions/7",
    "url.scheme": "http",
    "server.address": "orders-7.internal",
    "server.port": 8000,
    "http.response.status_code": 200,
    "user_agent.original": "python-httpx/0.28.1",
    "client.address": "127.0.0.1",
    "correlation_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}
QUERY_SPAN: Final = {
    "db.system.name": "postgresql",
    "db.query.text": "SELECT id, name, created_at FROM transactions WHERE user_id = $1 ORDER BY id LIMIT $2",
    "db.operation.name": "SELECT",
    "db.collection.name": "transactions",
    "db.namespace": "finance",
    "server.address": "10.0.0.7",
    "server.port": 5432,
}
LINES: Final = {
    "line of 100 characters, words": (
        "transaction created for a user in category food with an amount in the currency EUR and all went well"
    ),
    "line of 100 characters, numbers": (
        "request GET /api/transactions/12345 finished with status 200 in 12.5 ms by worker 3 on host orders-7"
    ),
    "line of 100 characters, pairs": (
        "request GET /api/transactions/12345 finished status=200 duration=12.5ms worker=3 host=orders-7 cold=0"
    ),
    "line with a card number": "payment of order 12345 with card 4111 1111 1111 1111 was refused by the issuer",
}
SHAPES: Final = (
    *(
        "x",
        "1",
        "@",
        "a@",
        "a@b.cc ",
        "%41",
        "%2541",
        "1+",
        "a+b ",
        "a%40",
        "1-",
        "4111 ",
        "4111111111111111 ",
        "DE89 ",
        "123-45-6789 ",
    ),
    *("DE89370400440532013000 ", "+1234567 ", "eyJ.a ", "Bearer a1 ", "Basic abcd ", "://a@", "password=x ", "ab="),
    *("token='", 'pin=\\"', '{"pin":{', "[", "'", "\\", " ", "é", "<pin>", "-----BEGIN PRIVATE KEY-----"),
)
GOALS: Final = {"attribute, seen": 0.3, "line of 100 characters, words, fresh": 2.0, "1 MB, worst": 5_000.0}
"""Microseconds."""


def median(judge: Callable[[], object], calls: int, rounds: int = 15) -> float:
    """Return the median of the microseconds that a call takes."""
    costs = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        for _ in range(calls):
            judge()
        costs.append((time.thread_time_ns() - start) / calls / 1_000)
    return statistics.median(costs)


def fresh(policy: Policy, judge: Callable[[str], object], text: str) -> float:
    """Return the cost of a text that was never seen: what the policy remembers is forgotten before each call."""

    def call() -> None:
        policy._clean.clear()  # noqa: SLF001 - there is no other way to see a text twice for the first time
        judge(text)

    return median(call, 2_000)


def figures() -> dict[str, float]:
    """Return the microseconds of each case."""
    found: dict[str, float] = {}
    for name, attributes in (("server span", SERVER_SPAN), ("query span", QUERY_SPAN)):
        given: dict[str, Any] = dict(attributes)
        found[f"{name} of {len(given)} attributes, seen"] = median(partial(redact_attributes, given), 2_000)
    found["attribute, seen"] = found[f"server span of {len(SERVER_SPAN)} attributes, seen"] / len(SERVER_SPAN)
    for name, line in LINES.items():
        found[f"{name}, fresh"] = fresh(DEFAULT, DEFAULT.text, line)
        found[f"{name}, seen"] = median(partial(DEFAULT.text, line), 2_000)
    megabytes = {shape: _megabyte(shape) for shape in SHAPES}
    worst = max(megabytes, key=megabytes.__getitem__)
    found.update({f"1 MB of {shape!r}": cost for shape, cost in megabytes.items()})
    found["1 MB, worst"] = megabytes[worst]
    return found


def _megabyte(shape: str) -> float:
    text = (shape * (1_000_000 // len(shape) + 1))[:1_000_000]
    return median(partial(DEFAULT.text, text), 1, 7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = figures()
    if parser.parse_args().json:
        print(json.dumps(found, indent=2))
        return
    for name, cost in found.items():
        goal = f"   goal {GOALS[name]:,.1f}" if name in GOALS else ""
        print(f"{name:45} {cost:12,.2f} us{goal}")


if __name__ == "__main__":
    main()
