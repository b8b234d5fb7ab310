"""Two hundred clients, four workers, one quota."""

import asyncio
from collections import Counter

import httpx

from tests.fixtures.polling import eventually_async
from tests.fixtures.service import ServiceFactory

CLIENTS = 200
REQUESTS = 600
QUOTA = 317
ON = {"MITA_RATE_LIMITING": "true"}


async def test_two_hundred_clients_of_four_workers_get_exactly_the_quota(
    start_service: ServiceFactory, redis_url: str, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    # A busy machine must not make a worker give up on Redis: that is another test's.
    variables = {"REDIS_URL": redis_url, "SITE_QUOTA": str(QUOTA), "MITA_RATE_LIMIT_TIMEOUT": "0.25"} | ON
    command = ["uvicorn", "tests.integration.ratelimit.site:app", "--workers", "4", "--port", str(free_port)]
    start_service([*command, "--no-access-log"], variables, url=f"{url}/other", timeout=60)

    # A connection for each request, so that the kernel hands them to all workers.
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        seen: set[str] = set()

        async def all_are_there() -> bool:
            seen.add((await client.get(f"{url}/other")).text)
            return len(seen) == 4

        await eventually_async(all_are_there, timeout=60)
        found = await asyncio.gather(*(client.get(f"{url}/x") for _ in range(REQUESTS)))
    assert Counter(answer.status_code for answer in found) == {200: QUOTA, 429: REQUESTS - QUOTA}
    assert len({answer.text for answer in found if answer.status_code == 200}) == 4
    assert all(answer.headers["retry-after"] for answer in found if answer.status_code == 429)
