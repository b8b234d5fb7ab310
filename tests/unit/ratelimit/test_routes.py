"""Which policies a request meets."""

import pytest

from mita_otel.ratelimit import REPORT
from mita_otel.ratelimit.routes import Routes, parsed, path_of

ROUTES = Routes([(policy.name, policy.parsed_routes()) for policy in REPORT if policy.key != "account"])


@pytest.mark.parametrize(
    ("request_line", "policies"),
    [
        ("POST /api/auth/login", ["login", "api"]),
        ("GET /api/auth/login", ["api"]),
        ("POST /api/auth/register", ["registration", "api"]),
        ("POST /api/auth/password-reset/request", ["password_reset", "api"]),
        ("POST /api/auth/refresh", ["token_refresh", "api"]),
        ("GET /api/transactions", ["api"]),
        ("POST /api/receipts", ["upload", "api"]),
        ("GET /api/receipts", ["api"]),
        ("GET /api/analytics/summary", ["api", "analytics"]),
        ("GET /api/", ["api"]),
        ("GET /api", []),
        ("GET /apiary", []),
        ("GET /health", []),
        ("GET /metrics", []),
        ("GET /docs", []),
        ("GET /", []),
    ],
)
def test_a_request_of_the_reference_service_meets(request_line: str, policies: list[str]) -> None:
    method, path = request_line.split()
    assert ROUTES.matching(method, path) == policies


@pytest.mark.parametrize(
    ("route", "path", "matches"),
    [
        ("/things/{thing}", "/things/7", True),
        ("/things/{thing}", "/things/", False),
        ("/things/{thing}", "/things/7/parts", False),
        ("/things/{thing}/parts", "/things/7/parts", True),
        ("/things/{thing}/parts", "/things/7/part", False),
        ("/things/{thing}/*", "/things/7/parts/8", True),
        ("/things/{thing}/*", "/things/7", False),
        ("/{thing}", "/7", True),
        ("/{thing}", "/", False),
        ("/*", "/anything/at/all", True),
        ("/", "/", True),
        ("/", "/x", False),
    ],
)
def test_a_route_matches(route: str, path: str, *, matches: bool) -> None:
    assert Routes([("it", [parsed(route)])]).matching("GET", path) == (["it"] if matches else [])


def test_head_is_held_to_the_limits_of_get() -> None:
    assert Routes([("it", [parsed("GET /x")])]).matching("HEAD", "/x") == ["it"]


def test_a_policy_with_several_routes_that_match_is_met_once() -> None:
    assert Routes([("it", [parsed("/a/*"), parsed("/a/{b}")])]).matching("GET", "/a/b") == ["it"]


@pytest.mark.parametrize(
    ("root", "path", "found"),
    [
        ("", "/api/x", "/api/x"),
        ("/v1", "/v1/api/x", "/api/x"),
        ("/v1", "/api/x", "/api/x"),
        ("/v1", "/v10/x", "/v10/x"),
    ],
)
def test_a_root_path_is_no_way_around_a_limit(root: str, path: str, found: str) -> None:
    assert path_of({"path": path, "root_path": root}) == found


def test_a_megabyte_of_path_is_looked_at_in_no_time() -> None:
    routes = Routes([("it", [parsed("/{a}/{b}/{c}")])])
    assert routes.matching("GET", "/" + "x/" * 500_000) == []
