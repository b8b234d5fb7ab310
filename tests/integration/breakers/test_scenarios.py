"""A dependency that fails in several ways behind a real Toxiproxy."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from benchmarks.breakers.scenarios import POLICY, SCENARIOS, caller, is_right, run, run_slow_recovery
from benchmarks.breakers.toxiproxy import Dependency, dependency
from mita_otel.breakers import CircuitBreaker, State
from tests.fixtures.polling import eventually, eventually_async

pytestmark = [pytest.mark.xdist_group("toxiproxy"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def proxied() -> Iterator[Dependency]:
    with dependency() as found:
        yield found


@pytest.fixture
def api(proxied: Dependency) -> Iterator[Dependency]:
    yield proxied
    proxied.heal()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_it_opens_within_the_stated_calls_answers_at_once_and_closes_within_a_probe_window(
    api: Dependency, name: str
) -> None:
    told = await run(api, SCENARIOS[name])
    assert is_right(told), told


async def test_a_recovery_that_takes_two_attempts_is_followed(api: Dependency) -> None:
    told = await run_slow_recovery(api)
    assert is_right(told), told
    assert told.probes_failed >= 1


async def test_two_workers_agree(api: Dependency, share: Callable[..., CircuitBreaker], redis_url: str) -> None:
    one, two = share(redis_url, POLICY), share(redis_url, POLICY)
    eventually(lambda: bool(one._shared and one._shared.is_up and two._shared and two._shared.is_up))
    async with caller(api.url, one) as first, caller(api.url, two) as second:
        api.switch(on=False)
        await first.open()

        async def has_followed() -> bool:
            return two.state is State.OPEN

        await eventually_async(has_followed)
        assert (await second.ask(), second.reached) == ("fallback", 0)
        api.heal()
        await asyncio.gather(first.close(), second.close())
    assert one.statistics.successes + two.statistics.successes == POLICY.success_threshold
