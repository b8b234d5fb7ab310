"""Requests are recorded by rules, with where they came from, and without what they carried."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import pytest

from mita_otel.logs import audit
from mita_otel.logs.audit import origins
from mita_otel.web.audit import CHANGING, RULES, AuditRequests, Rule

FINANCIAL = Rule(name="financial", paths=("/budgets*",), methods=CHANGING, sensitivity=audit.Sensitivity.CONFIDENTIAL)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was recorded, with the origin of that moment."""
    found: list[dict[str, Any]] = []

    def record(event_type: audit.EventType, action: str, **about: Any) -> None:
        request = origins.current()
        found.append(
            {"type": event_type.value, "action": action, **about, "address": request.address, "place": request.place()}
        )

    monkeypatch.setattr(audit, "record", record)
    return found


async def ask(
    method: str, path: str, *, status: int = 200, seconds: float = 0.0, query: bytes = b"",
    fails: bool = False, route: str | None = None, inside: Callable[[], object] = lambda: None,
) -> None:  # fmt: skip
    ticks = iter([0.0, seconds])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside()
        if route is not None:
            scope["route"] = type("Route", (), {"path": route})
        if fails:
            raise RuntimeError
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Mapping[str, Any]) -> None:
        assert message

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "client": ("192.0.2.7", 1)}
    layer = AuditRequests(app, (FINANCIAL, *RULES), lambda: next(ticks))
    await layer(scope, receive, send)


async def test_a_request_that_nothing_is_special_about_is_not_recorded(recorded: list[Any]) -> None:
    await ask("GET", "/budgets")
    await ask("POST", "/other", status=404)
    assert recorded == []


@pytest.mark.parametrize(
    ("asked", "kind", "action", "outcome"),
    [
        ({"method": "POST", "path": "/api/auth/login"}, "authentication", "request.authentication", "success"),
        ({"method": "POST", "path": "/login", "status": 401}, "authentication", "request.authentication", "failure"),
        ({"method": "GET", "path": "/x", "status": 401}, "authorization", "request.refused", "failure"),
        ({"method": "GET", "path": "/x", "status": 403}, "authorization", "request.forbidden", "failure"),
        ({"method": "GET", "path": "/x", "status": 503}, "response", "request.failed", "failure"),
        ({"method": "GET", "path": "/x", "seconds": 2.0}, "response", "request.slow", "success"),
        ({"method": "PUT", "path": "/budgets/7"}, "request", "request.financial", "success"),
    ],
    ids=["login", "failed login", "refused", "forbidden", "failed", "slow", "financial"],
)
async def test_a_request_is_recorded_as_its_rule_says(
    recorded: list[Any], asked: dict[str, Any], kind: str, action: str, outcome: str
) -> None:
    await ask(**asked)
    (found,) = recorded
    assert (found["type"], found["action"], found["outcome"].value) == (kind, action, outcome)


async def test_the_first_rule_decides_and_all_that_fit_are_named(recorded: list[Any]) -> None:
    await ask("POST", "/budgets", status=500, seconds=3.0)
    (found,) = recorded
    assert found["action"] == "request.financial"
    assert found["sensitivity"] is audit.Sensitivity.CONFIDENTIAL
    assert found["details"] == {"rules": ["financial", "failed", "slow"], "status": 500, "seconds": 3.0}


async def test_a_request_that_raises_has_failed(recorded: list[Any]) -> None:
    with pytest.raises(RuntimeError):
        await ask("GET", "/x", fails=True)
    assert [found["details"]["status"] for found in recorded] == [500]


async def test_it_is_known_where_a_request_came_from_by_its_route(recorded: list[Any]) -> None:
    await ask("PUT", "/budgets/7", route="/budgets/{id}")
    await ask("PUT", "/budgets/jane@example.com")
    assert {found["address"] for found in recorded} == {"192.0.2.7"}
    assert recorded[0]["place"] == "PUT /budgets/{id}"
    assert "jane" not in recorded[1]["place"]


@pytest.mark.parametrize(
    ("path", "route", "place"),
    [
        ("/api/budgets/7", "/budgets/{id}", "PUT /api/budgets/{id}"),
        ("/budgets/7", "/budgets/{id}", "PUT /budgets/{id}"),
        ("/budgets/a/b", "/budgets/{rest:path}", "PUT /budgets/{rest:path}"),
    ],
)
async def test_what_stands_before_a_route_is_told_too(recorded: list[Any], path: str, route: str, place: str) -> None:
    await ask("PUT", path, route=route, status=500)
    assert recorded[0]["place"] == place


async def test_of_a_query_the_names_are_recorded_and_no_values(recorded: list[Any]) -> None:
    await ask("GET", "/x", status=500, query=b"code=hunter2&state=s&code=3&empty=")
    assert recorded[0]["details"]["parameters"] == ["code", "empty", "state"]


async def test_records_made_meanwhile_know_the_user_who_is_verified(recorded: list[Any]) -> None:
    users = []

    def inside() -> None:
        audit.acting("u1")
        users.append(origins.current().user)

    await ask("GET", "/x", inside=inside)
    assert (users, origins.current().user) == (["u1"], None)


async def test_what_is_not_http_passes_through(recorded: list[Any]) -> None:
    seen = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    for kind in ("lifespan", "websocket"):
        await AuditRequests(app)({"type": kind}, None, None)  # type: ignore[arg-type]  # nothing is received or sent
    assert (seen, recorded) == (["lifespan", "websocket"], [])
