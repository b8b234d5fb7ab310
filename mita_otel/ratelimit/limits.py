"""Policies: how much of what may be asked by whom, as data, and the seven of the report."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from mita_otel.ratelimit.routes import Route, parsed
from mita_otel.ratelimit.window import LARGEST_QUOTA, LONGEST_WINDOW, Terms

Key: TypeAlias = Literal["address", "caller", "account"]
"""Whose quota it is: the client address's; the authenticated user's, or else the address's; the account's that is
named in the request, which only the handler knows."""

OnFailure: TypeAlias = Literal["open", "local", "closed"]
"""What happens while Redis does not answer: everything is allowed; this process's share of the quota is; nothing is."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)

POLICIES_AT_MOST: Final = 64
"""Names become values of a metric's attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One limit.

    Attributes:
        name: told to clients and in metrics: a lower-case letter, then at most 31 more, digits and `_`.
        quota: requests of one client in a window, between 1 and 1,000,000.
        window: seconds, between 1 and 31 days.
        routes: what it applies to, such as `POST /api/login`, `/api/reports/{id}` for every method, or `/api/*` for
            everything below.
        key: whose quota it is.
        on_failure: what happens while Redis does not answer.
        user_quota: the quota of an authenticated user, where the key is `caller` and that differs.

    Raises:
        ValueError: a field holds something that makes no sense; the message names policy and field.
    """

    name: str
    quota: int
    window: int
    routes: Sequence[str]
    key: Key = "address"
    on_failure: OnFailure = "local"
    user_quota: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(str(self.name)):
            raise self._error("name", "a lower-case letter, then at most 31 more, digits and '_'")
        self._check_number("quota", self.quota, LARGEST_QUOTA)
        self._check_number("window", self.window, LONGEST_WINDOW)
        if self.key not in get_args(Key):
            raise self._error("key", "address, caller or account")
        if self.on_failure not in get_args(OnFailure):
            raise self._error("on_failure", "open, local or closed")
        if self.user_quota is not None:
            self._check_number("user_quota", self.user_quota, LARGEST_QUOTA)
            if self.key != "caller":
                raise self._error("user_quota", "nothing unless key='caller'")
        if isinstance(self.routes, str) or not self.routes:
            raise self._error("routes", "a sequence of routes, at least one")
        self.parsed_routes()

    def parsed_routes(self) -> tuple[Route, ...]:
        """Return the routes in parts.

        Raises:
            ValueError: one of them is none.
        """
        try:
            return tuple(parsed(str(each)) for each in self.routes)
        except ValueError as error:
            raise self._error("routes", str(error)) from None

    def terms(self, *, is_user: bool) -> Terms:
        """Return what is allowed to a client."""
        quota = self.user_quota if is_user and self.user_quota is not None else self.quota
        return Terms(quota, self.window * 1000)

    def _check_number(self, field: str, value: object, largest: int) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
            raise self._error(field, f"a whole number between 1 and {largest}")

    def _error(self, field: str, allowed: str) -> ValueError:
        return ValueError(
            f"rate limit {self.name!r}: {field}={getattr(self, field)!r} is not allowed: it takes {allowed}"
        )


MINUTE: Final = 60
HOUR: Final = 3600

REPORT: Final[Sequence[Policy]] = (
    Policy(name="login", quota=10, window=15 * MINUTE, routes=("POST /api/auth/login",)),
    Policy(name="login_account", quota=10, window=15 * MINUTE, routes=("POST /api/auth/login",), key="account"),
    Policy(name="registration", quota=5, window=HOUR, routes=("POST /api/auth/register",)),
    Policy(
        name="password_reset",
        quota=3,
        window=30 * MINUTE,
        routes=("POST /api/auth/password-reset/request",),
        on_failure="closed",
    ),
    Policy(
        name="password_reset_account",
        quota=3,
        window=30 * MINUTE,
        routes=("POST /api/auth/password-reset/request",),
        key="account",
        on_failure="closed",
    ),
    Policy(name="token_refresh", quota=20, window=5 * MINUTE, routes=("POST /api/auth/refresh",)),
    Policy(name="api", quota=1000, window=HOUR, routes=("/api/*",), key="caller", on_failure="open"),
    Policy(name="upload", quota=10, window=HOUR, routes=("POST /api/receipts",), key="caller"),
    Policy(
        name="analytics",
        quota=10,
        user_quota=20,
        window=MINUTE,
        routes=("/api/analytics", "/api/analytics/*"),
        key="caller",
    ),
)
"""The report's seven. Login and password reset are two each, by address and by account: whoever tries one account from
many addresses meets the one, whoever tries many accounts from one address the other. Nothing that a client may choose
at will, such as its user agent, makes a quota its own. Source: observability report, section 2.5."""


def adjusted(policies: Iterable[Policy], quotas: Iterable[tuple[str, int, int]]) -> tuple[Policy, ...]:
    """Return policies with other quotas and windows, by name; a user's quota of its own goes with the old ones.

    Raises:
        ValueError: two policies have one name, there are too many, or a quota is for a policy that is not there.
    """
    found: dict[str, Policy] = {}
    for policy in policies:
        if policy.name in found:
            raise ValueError(f"rate limit {policy.name!r}: name={policy.name!r} is not allowed: another one has it")
        found[policy.name] = policy
    if len(found) > POLICIES_AT_MOST:
        raise ValueError(f"{len(found)} rate limits are too many: at most {POLICIES_AT_MOST} are told apart")
    for name, quota, window in quotas:
        if name not in found:
            raise ValueError(f"MITA_RATE_LIMITS names {name!r}: there are {', '.join(found)}")
        found[name] = replace(found[name], quota=quota, window=window, user_quota=None)
    return tuple(found.values())
