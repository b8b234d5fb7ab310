"""The ASGI layer, without Redis."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from starlette.responses import Response

from mita_otel import ratelimit
from mita_otel.ratelimit import LimitedError, Policy
from mita_otel.ratelimit import middleware as room
from mita_otel.ratelimit.fallback import LocalWindows

MakeSite = Callable[..., Any]

ACCOUNT = Policy(name="account", quota=1, window=60, routes=("POST /login",), key="account")
CALLER = Policy(name="caller", quota=1, user_quota=2, window=60, routes=("/x",), key="caller")


async def test_what_is_within_the_quota_is_answered_and_told_what_is_left(site: MakeSite) -> None:
    answer = await site().request()
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers == {"x-mine": "1", "ratelimit-policy": '"x";q=2;w=60', "ratelimit": '"x";r=1;t=60'}


async def test_what_is_beyond_it_is_answered_429_and_told_when_to_come_again(site: MakeSite) -> None:
    limited = site()
    answers = [await limited.request() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers == {
        "content-type": "application/json",
        "content-length": str(len(answers[2].body)),
        "ratelimit-policy": '"x";q=2;w=60',
        "ratelimit": '"x";r=0;t=60',
        "retry-after": "60",
    }
    error = {
        "code": "RATE_LIMIT_6001",
        "message": "too many requests: try again in 60 s",
        "details": {"policies": ["x"], "retry_after": 60},
    }
    assert json.loads(answers[2].body) == {"success": False, "error": error}


async def test_the_answer_is_the_applications_own_if_it_has_one(site: MakeSite) -> None:
    told: list[Any] = []

    def answer(scope: Any, error: LimitedError) -> Any:
        told.append((scope["path"], error.policies))
        return Response(b"{}", 429, {"Retry-After": "61"}, "application/problem+json")

    limited = site(answer=answer)
    answers = [await limited.request() for _ in range(3)]
    assert answers[2].body == b"{}"
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert (answers[2].headers["retry-after"], answers[2].headers["ratelimit"]) == ("61", '"x";r=0;t=60')
    assert told == [("/x", ("x",))]


async def test_the_older_headers_are_there_for_whoever_asks_for_them(site: MakeSite) -> None:
    answer = await site(variables={"MITA_RATE_LIMIT_LEGACY_HEADERS": "true"}).request()
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= answer.headers.keys()


@pytest.mark.parametrize("request_line", ["OPTIONS /x", "GET /health", "GET /metrics", "GET /docs"])
async def test_what_no_policy_is_for_goes_through(site: MakeSite, request_line: str) -> None:
    method, path = request_line.split()
    limited = site()
    answers = [await limited.request(path, method) for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    assert all(answer.headers == {"x-mine": "1"} for answer in answers)


async def test_addresses_do_not_share_a_quota_and_what_they_say_of_themselves_gives_them_no_other(
    site: MakeSite,
) -> None:
    limited = site()
    for agent in (b"one", b"two"):
        await limited.request(headers=[(b"user-agent", agent), (b"x-forwarded-for", agent)])
    assert (await limited.request(headers=[(b"user-agent", b"three")])).status == 429
    assert (await limited.request(peer="203.0.113.10")).status == 200


async def test_a_user_has_a_quota_of_their_own_wherever_they_are(site: MakeSite) -> None:
    limited = site(CALLER, user=lambda scope: scope["user"])
    statuses = [
        (await limited.request(user=user, peer=peer)).status
        for user, peer in [("a", "1.1.1.1"), ("a", "2.2.2.2"), ("a", "3.3.3.3"), ("b", "1.1.1.1"), (None, "1.1.1.1")]
    ]
    assert statuses == [200, 200, 429, 200, 200]


async def test_whoever_has_no_valid_token_is_anonymous_and_limited_by_address(
    site: MakeSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_logged_at", {})

    def broken(_: Any) -> str:
        raise ValueError("no token")

    limited = site(CALLER, user=broken)
    assert [(await limited.request()).status for _ in range(3)] == [200, 429, 429]
    assert [record.getMessage() for record in caplog.records].count(
        "the user of a request could not be told; it counts as an anonymous one"
    ) == 1


async def test_a_blocked_request_takes_nothing_of_its_other_policies(site: MakeSite) -> None:
    narrow = Policy(name="narrow", quota=1, window=60, routes=("/x",))
    wide = Policy(name="wide", quota=2, window=60, routes=("/*",))
    limited = site(narrow, wide)
    answers = [await limited.request(path) for path in ("/x", "/x", "/x", "/y", "/y")]
    assert [answer.status for answer in answers] == [200, 429, 429, 200, 429]
    assert answers[1].headers["ratelimit"] == '"narrow";r=0;t=60, "wide";r=1;t=60'


async def _login(scope: Any, receive: Any, send: Any) -> None:
    await ratelimit.charge("account", scope["account"])
    await send({"type": "http.response.start", "status": 200})


async def test_an_account_is_limited_from_whichever_address_it_is_tried(site: MakeSite) -> None:
    limited = site(ACCOUNT, app=_login)
    answers = [
        await limited.request("/login", "POST", account=account, peer=peer)
        for account, peer in [("a", "1.1.1.1"), ("a", "2.2.2.2"), ("b", "2.2.2.2")]
    ]
    assert [answer.status for answer in answers] == [200, 429, 200]
    assert answers[1].headers["retry-after"] == "60"
    assert answers[0].headers["ratelimit"] == '"account";r=0;t=60'


async def test_an_application_may_answer_for_an_account_itself(site: MakeSite) -> None:
    async def forgiving(scope: Any, receive: Any, send: Any) -> None:
        try:
            await _login(scope, receive, send)
        except LimitedError as limited:
            await send(
                {
                    "type": "http.response.start",
                    "status": 401,
                    "headers": [(b"x-wait", b"%d" % limited.retry_after)],
                }
            )

    limited = site(ACCOUNT, app=forgiving)
    answers = [await limited.request("/login", "POST", account="a") for _ in range(2)]
    assert answers[1].status == 401
    assert answers[1].headers["retry-after"] == answers[1].headers["x-wait"] == "60"


async def test_an_answer_that_has_begun_is_not_answered_again(site: MakeSite) -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await _login(scope, receive, send)

    limited = site(ACCOUNT, app=late)
    await limited.request("/login", "POST", account="a")
    with pytest.raises(LimitedError, match="try again in 60 s"):
        await limited.request("/login", "POST", account="a")


async def test_an_account_without_the_middleware_is_a_mistake_that_is_not_passed_over() -> None:
    with pytest.raises(LookupError, match=r"app\.add_middleware\(RateLimits, limiter=\.\.\.\)"):
        await ratelimit.charge("account", "a")


async def test_so_is_a_policy_that_is_not_for_accounts(site: MakeSite) -> None:
    limited = site(app=_login)
    with pytest.raises(LookupError, match="there is no rate limit 'account' with key='account'"):
        await limited.request("/login", "POST", account="a")


async def test_a_websocket_is_limited_as_it_is_opened(site: MakeSite) -> None:
    limited = site()
    answers = [await limited.request(type="websocket") for _ in range(3)]
    assert [answer.messages[0]["type"] for answer in answers] == ["websocket.accept"] * 2 + ["websocket.close"]
    assert answers[2].messages[0]["code"] == 1013


async def test_a_server_that_can_answers_a_websocket_with_429(site: MakeSite) -> None:
    limited = site(answer=lambda *_: 1 / 0)  # which may know HTTP alone
    for _ in range(2):
        await limited.request(type="websocket")
    answer = await limited.request(type="websocket", extensions={"websocket.http.response": {}})
    assert answer.status == 429
    assert [message["type"] for message in answer.messages] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert "retry-after" in answer.headers


async def test_a_lifespan_goes_through(site: MakeSite) -> None:
    seen: list[str] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(scope["type"])

    await site(app=app).request(type="lifespan")
    assert seen == ["lifespan"]


async def test_a_fault_of_ours_costs_no_request_and_is_counted_and_logged(
    site: MakeSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_logged_at", {})
    limited = site(Policy(name="faulty", quota=1, window=60, routes=("/x",)))
    monkeypatch.setattr(LocalWindows, "take", lambda *_: 1 / 0)
    assert [(await limited.request()).status for _ in range(3)] == [200] * 3
    assert limited.limiter.statistics.requests("faulty")["error"] == 3
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage() == "a request was not held to its rate limits"
    assert record.exc_info is not None


async def test_a_blocked_request_says_by_what_on_its_span(site: MakeSite) -> None:
    limited = site()
    with TracerProvider().get_tracer("t").start_as_current_span("request") as span:
        for _ in range(3):
            await limited.request()
    assert dict(getattr(span, "attributes")) == {"mita.rate_limit.blocked_by": ("x",)}  # noqa: B009 - an SDK's span


async def test_a_huge_header_is_no_burden(site: MakeSite) -> None:
    limited = site(variables={"MITA_TRUSTED_PROXIES": "203.0.113.0/24"})
    huge = [(b"x-forwarded-for", b"1.1.1.1, " * 100_000 + b"2.2.2.2")]
    assert [(await limited.request(headers=huge)).status for _ in range(3)] == [200, 200, 429]
    assert (await limited.request(headers=[(b"x-forwarded-for", b"2.2.2.3")])).status == 200
