"""What a limiter reports, with zeros from the start."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.metrics.catalogue.reliability import RATE_LIMIT_REQUESTS
from mita_otel.ratelimit import Limiter
from mita_otel.ratelimit import limiter as room
from mita_otel.stack.databases import Server
from tests.integration.ratelimit.conftest import Connect, MakeLimiter, ask, policy

Points = Callable[[str], dict[tuple[Any, ...], Any]]


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Iterator[Points]:
    """Collect the points of a metric, by the values of their attributes."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(room, "get_meter_provider", lambda: provider)

    def collected(name: str) -> dict[tuple[Any, ...], Any]:
        data = reader.get_metrics_data()
        assert data is not None
        return {
            tuple((point.attributes or {}).values()): point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }

    yield collected
    provider.shutdown()


def _counts(points: Points) -> dict[tuple[Any, ...], int]:
    return {labels: point.value for labels, point in points("mita.rate_limit.requests").items()}


def test_every_result_of_every_policy_begins_at_zero(points: Points, connect: Connect, limiter: MakeLimiter) -> None:
    made = limiter(None, policy(name="a"), policy(name="b"))
    [results] = [each.values for each in RATE_LIMIT_REQUESTS.attributes if each.name == "result"]
    assert _counts(points) == {(name, result): 0 for name in "ab" for result in results}
    assert {labels: point.value for labels, point in points("mita.rate_limit.evictions").items()} == {
        ("a",): 0,
        ("b",): 0,
    }
    assert [point.value for point in points("mita.rate_limit.malformed_headers").values()] == [0]
    assert made.state() == "local"


def _states(points: Points) -> dict[str, int]:
    return {state: point.value for (state,), point in points("mita.rate_limit.backend.state").items()}


async def test_requests_utilization_and_the_backend_are_told_of_redis_and_of_its_absence(
    points: Points, connect: Connect, limiter: MakeLimiter, redis_own: Server
) -> None:
    made: Limiter = limiter(connect(redis_own.url), policy(quota=4))
    for _ in range(5):
        await ask(made)
    assert _states(points) == {"up": 1, "down": 0, "local": 0}
    redis_own.kill()
    for _ in range(3):
        await ask(made, "198.51.100.1", path="/x")
    await ask(made)
    counts = _counts(points)
    assert (counts["x", "allowed"], counts["x", "blocked"]) == (4, 1)
    assert (counts["x", "fallback_allowed"], counts["x", "fallback_blocked"]) == (3, 1)
    assert _states(points) == {"up": 0, "down": 1, "local": 0}
    used = points("mita.rate_limit.utilization")["x",]
    # 1/4, 2/4, 3/4, 4/4, blocked; then a share of 4 for one replica: 1/4, 2/4, 3/4, and blocked.
    assert (used.count, used.sum) == (9, 0.25 + 0.5 + 0.75 + 1 + 1 + 0.25 + 0.5 + 0.75 + 1)
    durations = points("mita.rate_limit.check.duration")
    assert {labels: point.count for labels, point in durations.items()} == {("redis",): 5, ("fallback",): 4}
    assert [point.value for point in points("mita.rate_limit.replicas").values()] == [1]


async def test_a_share_that_is_a_bound_is_counted_below_it(points: Points, limiter: MakeLimiter) -> None:
    made: Limiter = limiter(None, policy(quota=10))
    for _ in range(10):
        await ask(made)
    used = points("mita.rate_limit.utilization")["x",]
    # One each up to 0.1, 0.2, ... 0.9, none up to 0.95 and 0.999, and one above: the quota is used up.
    assert list(used.bucket_counts) == [*[1] * 9, 0, 0, 1]
