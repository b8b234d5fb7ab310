"""What administrators and the security log are told."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mita_otel.ratelimit import Policy, report
from mita_otel.ratelimit import security as room
from mita_otel.ratelimit.security import Blocked, Offenders
from tests.fixtures.polling import eventually_async

MakeSite = Callable[..., Any]


def _told_of(name: str) -> Any:
    limiters = json.loads(report())["limiters"]
    return next(each for each in limiters if each["policies"][0]["name"] == name)


async def test_it_tells_the_policies_their_requests_and_who_is_blocked_most(site: MakeSite) -> None:
    limited = site(Policy(name="reported", quota=1, window=60, routes=("/x",)))
    for peer, times in (("203.0.113.1", 4), ("203.0.113.2", 2), ("203.0.113.3", 1)):
        for _ in range(times):
            await limited.request(peer=peer)
    told = _told_of("reported")
    assert (told["backend"], told["replicas"], told["blocked"]) == ("local", 1, 4)
    [policy] = told["policies"]
    assert (policy["quota"], policy["window_seconds"], policy["routes"]) == (1, 60, ["/x"])
    assert (policy["requests"]["allowed"], policy["requests"]["blocked"]) == (3, 4)
    counts = [(each["kind"], each["blocked_at_least"], each["blocked_at_most"]) for each in told["offenders"]]
    assert counts == [("address", 3, 3), ("address", 1, 1)]
    assert "203.0.113" not in json.dumps(told)


def _any_of(caplog: pytest.LogCaptureFixture) -> Callable[[], Awaitable[bool]]:
    async def any_is_there() -> bool:
        return bool(caplog.records)

    return any_is_there


async def test_whoever_is_blocked_most_is_told_to_the_security_log_once_for_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "INTERVAL", 0.05)
    offenders = Offenders()
    with caplog.at_level(logging.WARNING):
        for client in "abbccc":
            offenders.blocked(Blocked("login", "address", client))
        await eventually_async(_any_of(caplog))
    [record] = caplog.records
    assert record.getMessage() == "rate limits blocked 6 requests"
    told = vars(record)
    assert (told["mita.log.stream"], told["mita.rate_limit.blocked"]) == ("security", 6)
    assert told["mita.rate_limit.offenders"] == [
        "address c by login: 3 times",
        "address b by login: 2 times",
        "address a by login: 1 times",
    ]


async def test_a_quiet_while_is_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    Offenders().tell()
    assert caplog.records == []
