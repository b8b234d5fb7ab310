"""The page about rate limits says what is so."""

from pathlib import Path

from mita_otel.ratelimit import REPORT, Policy
from mita_otel.ratelimit.fallback import BYTES_A_CLIENT
from mita_otel.ratelimit.offenders import TRACKED
from mita_otel.ratelimit.redis import BEAT, PRESENT
from mita_otel.ratelimit.security import INTERVAL, TOLD
from mita_otel.settings import RateLimitSettings

PAGE = (Path(__file__).parents[3] / "docs" / "rate-limits.md").read_text()

WHOSE = {"address": "an address", "caller": "a user, else an address", "account": "an account"}


def row(policy: Policy) -> str:
    quota = str(policy.quota) if policy.user_quota is None else f"{policy.quota}, a user {policy.user_quota}"
    window = f"{policy.window // 3600} h" if policy.window % 3600 == 0 else f"{policy.window // 60} min"
    routes = ", ".join(f"`{route}`" for route in policy.routes)
    return f"| `{policy.name}` | {quota} | {window} | {WHOSE[policy.key]} | {routes} | {policy.on_failure} |"


def test_the_table_has_every_policy_of_the_report_and_no_other() -> None:
    head = "| Policy | Quota | Window | Of | Applies to | Without Redis |\n|---|---|---|---|---|---|\n"
    table = PAGE.partition(head)[2].partition("\n\n")[0]
    assert table.splitlines() == [row(policy) for policy in REPORT]


def test_a_number_is_what_it_is() -> None:
    settings = RateLimitSettings()
    assert f"`MITA_RATE_LIMIT_TIMEOUT` ({settings.rate_limit_timeout:g} s)" in PAGE
    remembered = f"`MITA_RATE_LIMIT_CLIENTS` clients ({settings.rate_limit_clients:,}) of each policy"
    assert f"{remembered}, at {BYTES_A_CLIENT} bytes" in PAGE
    assert f"tells Redis every {BEAT:g} s" in PAGE


def test_so_are_those_in_words() -> None:
    assert (PRESENT, TRACKED, TOLD, INTERVAL) == (60_000, 50, 5, 60)
    assert "a\nminute of silence is an end" in PAGE
    assert "fifty clients as digests" in PAGE
    assert "Once a minute" in PAGE
    assert "the first five" in PAGE
