"""Policies: the report's, and those that are refused."""

from typing import Any

import pytest

from mita_otel.ratelimit import REPORT, Limiter, Policy
from mita_otel.settings import RateLimitSettings, Settings, SettingsError

SECRET = "s" * 16

REPORTED = {
    "login": (10, 900),
    "registration": (5, 3600),
    "password_reset": (3, 1800),
    "token_refresh": (20, 300),
    "api": (1000, 3600),
    "upload": (10, 3600),
    "analytics": (10, 60),
}


def _policy(**changed: Any) -> Policy:
    fields: dict[str, Any] = {"name": "login", "quota": 10, "window": 900, "routes": ("POST /login",)}
    return Policy(**(fields | changed))


@pytest.mark.parametrize("name", REPORTED)
def test_a_policy_of_the_report_has_its_quota_and_window(name: str) -> None:
    policy = next(each for each in REPORT if each.name == name)
    assert (policy.quota, policy.window) == REPORTED[name]


def test_analytics_are_twice_as_much_for_an_authenticated_user() -> None:
    policy = next(each for each in REPORT if each.name == "analytics")
    assert [policy.terms(is_user=known).limit for known in (False, True)] == [10, 20]


@pytest.mark.parametrize("name", ["login", "password_reset"])
def test_what_is_tried_with_a_secret_is_limited_by_address_and_by_account(name: str) -> None:
    by_key = {policy.name: (policy.key, policy.routes, policy.quota) for policy in REPORT}
    _, routes, quota = by_key[name]
    assert by_key[name] == ("address", routes, quota)
    assert by_key[f"{name}_account"] == ("account", routes, quota)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Login"),
        ("name", ""),
        ("name", 'x";q=9'),
        ("quota", 0),
        ("quota", -1),
        ("quota", 1_000_001),
        ("quota", 2.5),
        ("quota", True),
        ("window", 0),
        ("window", 31 * 86_400 + 1),
        ("window", "900"),
        ("key", "user_agent"),
        ("on_failure", "sometimes"),
        ("user_quota", 0),
        ("user_quota", 20),
        ("routes", ()),
        ("routes", "/login"),
        ("routes", ("login",)),
        ("routes", ("FETCH /login",)),
        ("routes", ("/a/*/b",)),
        ("routes", ("/a*",)),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^rate limit .*: {field}=.* is not allowed: it takes "):
        _policy(**{field: value})


def test_two_policies_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rate limit 'login': name='login' is not allowed: another one has it"):
        Limiter([_policy(), _policy()], secret=SECRET, settings=RateLimitSettings())


def test_more_policies_than_a_metric_tells_apart_are_refused() -> None:
    policies = [_policy(name=f"p{number}") for number in range(65)]
    with pytest.raises(ValueError, match="65 rate limits are too many"):
        Limiter(policies, secret=SECRET, settings=RateLimitSettings())


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="secret of rate limits must have 16 or more"):
        Limiter(secret="s" * 15, settings=RateLimitSettings())


def test_a_client_that_blocks_the_event_loop_is_refused() -> None:
    with pytest.raises(TypeError, match=r"redis must be a client of redis\.asyncio"):
        Limiter(secret=SECRET, redis=object(), settings=RateLimitSettings())  # type: ignore[arg-type] # that is the point


def test_a_setting_gives_a_policy_another_quota_and_window() -> None:
    settings = Settings.read({"MITA_RATE_LIMITS": "login=20/60, api=5000/3600"})
    limiter = Limiter(secret=SECRET, settings=settings)
    assert [(limiter.policies[name].quota, limiter.policies[name].window) for name in ("login", "api")] == [
        (20, 60),
        (5000, 3600),
    ]


def test_a_quota_for_a_policy_that_is_not_there_is_refused_with_those_that_are() -> None:
    settings = Settings.read({"MITA_RATE_LIMITS": "logins=20/60"})
    with pytest.raises(ValueError, match=r"MITA_RATE_LIMITS names 'logins': there are login, login_account"):
        Limiter(secret=SECRET, settings=settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MITA_RATE_LIMITS", "login"),
        ("MITA_RATE_LIMITS", "login=0/60"),
        ("MITA_RATE_LIMITS", "login=10/0"),
        ("MITA_RATE_LIMITS", "login=10/2678401"),
        ("MITA_RATE_LIMITS", "login=99999999/60"),
        ("MITA_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("MITA_TRUSTED_PROXIES", "proxy.example"),
        ("MITA_FORWARDED_HEADER", "x-real-ip"),
        ("MITA_RATE_LIMIT_TIMEOUT", "0.3"),
        ("MITA_RATE_LIMIT_REPLICAS", "0"),
        ("MITA_RATE_LIMIT_CLIENTS", "10"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}="):
        Settings.read({name: value})


def test_a_limiter_does_not_start_with_a_setting_that_nobody_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MITA_TRUSTED_PROXIES", "everyone")
    with pytest.raises(SettingsError, match="MITA_TRUSTED_PROXIES='everyone' is not allowed"):
        Limiter(secret=SECRET)


def test_a_limiter_starts_whatever_is_wrong_with_the_settings_of_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MITA_LOG_FORMAT", "xml")
    assert Limiter(secret=SECRET).policies.keys() >= REPORTED.keys()
