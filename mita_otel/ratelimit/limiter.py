"""The limiter: who is asked about a request, in which order, and what is done with the answers."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias
from weakref import WeakSet

from opentelemetry.metrics import get_meter_provider

from mita_otel.ratelimit.fallback import LocalWindows, share
from mita_otel.ratelimit.flights import QueueError
from mita_otel.ratelimit.gate import Gate
from mita_otel.ratelimit.headers import Told
from mita_otel.ratelimit.identity import Addresses, Digests
from mita_otel.ratelimit.limits import REPORT, Policy, adjusted
from mita_otel.ratelimit.routes import Routes, path_of
from mita_otel.ratelimit.security import Blocked, Offenders
from mita_otel.ratelimit.statistics import BLOCKED, Backend, Result, State, statistics_of
from mita_otel.ratelimit.window import Decision, Terms
from mita_otel.settings import RateLimitSettings, Settings, SettingsError, environment

if TYPE_CHECKING:
    import redis.asyncio

    from mita_otel.ratelimit.redis import RedisWindows

Kind: TypeAlias = Literal["address", "user", "account"]

PREFIX: Final = "mita-ratelimit"


class Charge(NamedTuple):
    """What a request takes of one client's quota."""

    policy: Policy
    kind: Kind
    client: bytes

    @property
    def terms(self) -> Terms:
        """What is allowed to such a client."""
        return self.policy.terms(is_user=self.kind == "user")

    @property
    def key(self) -> str:
        """The key in Redis, after the prefix."""
        return f"{self.policy.name}:{self.client.hex()}"


class Verdict(NamedTuple):
    """What became of a charge.

    Attributes:
        charge: what was asked.
        decision: None where nobody counted: the policy is open, and Redis away.
        result: as it is counted; None where the policy had room but another one blocked the request.
    """

    charge: Charge
    decision: Decision | None
    result: Result | None

    @property
    def told(self) -> Told | None:
        """What the client is told of it."""
        policy = self.charge.policy
        return None if self.decision is None else Told(policy.name, policy.window, self.decision)


limiters: Final[WeakSet["Limiter"]] = WeakSet()
"""Those of this process."""


class Limiter:
    """Holds requests to policies: all replicas together by Redis, or this process alone without one.

    While Redis does not answer, each policy says what happens: everything is allowed (`open`), this process's share of
    the quota is (`local`), nothing is (`closed`). After a failure Redis is asked once a second; every other request
    goes on at once.

    Args:
        policies: the report's seven by default; `MITA_RATE_LIMITS` may change their quotas.
        secret: keys the digests that clients are kept under; 16 characters or more, the same for all replicas.
        redis: a client of redis-py, asyncio, single server or cluster, that does not try again by itself; the
            application closes it.
        prefix: begins all keys in Redis.
        settings: those of the environment by default.

    Raises:
        ValueError: a policy, the secret or a setting is not allowed; the message names it.
        TypeError: `redis` is no such client.
    """

    def __init__(
        self,
        policies: Iterable[Policy] = REPORT,
        *,
        secret: str,
        redis: "redis.asyncio.Redis | redis.asyncio.RedisCluster | None" = None,
        prefix: str = PREFIX,
        settings: RateLimitSettings | None = None,
    ) -> None:
        chosen = settings or _from_environment()
        self.policies = {each.name: each for each in adjusted(policies, chosen.rate_limits)}
        self.is_on = chosen.rate_limiting
        self.legacy_headers = chosen.rate_limit_legacy_headers
        self.offenders = Offenders()
        self.statistics = statistics_of(get_meter_provider())
        self._addresses = Addresses(chosen.trusted_proxies, chosen.forwarded_header, self.statistics.malformed)
        self._digests = Digests(secret)
        self._routes = Routes(
            (policy, policy.parsed_routes()) for policy in self.policies.values() if policy.key != "account"
        )
        self._local = LocalWindows(self.policies, chosen.rate_limit_clients, self.statistics.evicted)
        self._redis = None if redis is None else _redis_windows(redis, prefix, chosen.rate_limit_timeout)
        self._gate = Gate()
        self._least_replicas = self._replicas = chosen.rate_limit_replicas
        self.statistics.add(self, self.policies)
        limiters.add(self)

    def matching(self, scope: Mapping[str, Any]) -> list[Policy]:
        """Return the policies that a request meets by its method and path; a WebSocket's handshake is a GET."""
        return self._routes.matching(scope.get("method", "GET"), path_of(scope)) if self.is_on else []

    def charges(self, policies: Iterable[Policy], scope: Mapping[str, Any], user: str | None) -> list[Charge]:
        """Return whose quotas a request takes of: the user's where a policy asks for callers, else its address's."""
        address = self._digests.of("address", self._addresses.of(scope))
        known = None if user is None else self._digests.of("user", user)
        return [
            Charge(policy, "address", address)
            if known is None or policy.key != "caller"
            else Charge(policy, "user", known)
            for policy in policies
        ]

    def account_charge(self, policy: Policy, account: str) -> Charge:
        """Return what a request takes of an account's quota."""
        return Charge(policy, "account", self._digests.of("account", account))

    async def take(self, charges: Sequence[Charge], cost: int = 1) -> list[Verdict]:
        """Judge a request by all of its charges, and count it: for none of them unless all have room.

        Raises nothing that Redis raises, and takes hardly longer than the setting's timeout.
        """
        began = time.perf_counter()
        backend, verdicts = await self._decide(charges, cost)
        self.statistics.took(time.perf_counter() - began, backend)
        for (policy, kind, client), decision, result in verdicts:
            if result is not None:
                used = None if decision is None else (decision.limit - decision.remaining) / decision.limit
                self.statistics.count(policy.name, result, used)
            if result in BLOCKED:
                self.offenders.blocked(Blocked(policy.name, kind, client.hex()[:16]))
        return verdicts

    def state(self) -> State:
        """Return the state of what is counted in."""
        return "local" if self._redis is None else "up" if self._gate.is_up else "down"

    def replicas(self) -> int:
        """Return the processes among which quotas are divided while Redis is away."""
        return self._replicas

    async def introduce(self) -> None:
        """Let this process and its replicas know of each other before there are requests; a second at most."""
        if self._redis is None or not self.is_on:
            return
        try:
            self._replicas = max(await self._redis.introduce(), self._least_replicas)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the service starts
            self._gate.failed(error, time.monotonic())

    async def _decide(self, charges: Sequence[Charge], cost: int) -> tuple[Backend, list[Verdict]]:
        if self._redis is None:
            return "local", _verdicts(
                charges, self._take_locally(charges, cost, time.monotonic()), "allowed", "blocked"
            )
        decisions = await self._take_shared(self._redis, charges, cost)
        if decisions is not None:
            return "redis", _verdicts(charges, decisions, "allowed", "blocked")
        return "fallback", self._fall_back(charges, cost)

    async def _take_shared(
        self, windows: "RedisWindows", charges: Sequence[Charge], cost: int
    ) -> list[Decision] | None:
        """Ask Redis; None is no answer."""
        now = time.monotonic()
        if not self._gate.lets_through(now):
            return None
        terms = [charge.terms for charge in charges]
        try:
            decisions, replicas = await windows.take([charge.key for charge in charges], terms, cost)
        except QueueError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the service goes on
            self._gate.failed(error, time.monotonic())
            return None
        self._gate.answered()
        if replicas is not None:
            self._replicas = max(replicas, self._least_replicas)
        if all(decision.is_allowed for decision in decisions):
            self._local.note(_local_keys(charges), terms, cost, _milliseconds(now))
        return decisions

    def _fall_back(self, charges: Sequence[Charge], cost: int) -> list[Verdict]:
        now = time.monotonic()
        closed = [charge for charge in charges if charge.policy.on_failure == "closed"]
        if closed:
            wait = self._gate.retry_in(now)
            return [
                Verdict(charge, Decision(False, charge.terms.limit, 0, wait, wait), "fallback_blocked")
                for charge in closed
            ]
        local = [charge for charge in charges if charge.policy.on_failure == "local"]
        verdicts = _verdicts(local, self._take_locally(local, cost, now), "fallback_allowed", "fallback_blocked")
        is_blocked = any(verdict.result in BLOCKED for verdict in verdicts)
        return verdicts + [
            Verdict(charge, None, None if is_blocked else "fallback_allowed")
            for charge in charges
            if charge.policy.on_failure == "open"
        ]

    def _take_locally(self, charges: Sequence[Charge], cost: int, now: float) -> list[Decision]:
        terms = [share(charge.terms, self._replicas) for charge in charges]
        return self._local.take(_local_keys(charges), terms, cost, _milliseconds(now))


def _verdicts(
    charges: Sequence[Charge], decisions: Sequence[Decision], allowed: Result, blocked: Result
) -> list[Verdict]:
    is_admitted = all(decision.is_allowed for decision in decisions)
    return [
        Verdict(charge, decision, blocked if not decision.is_allowed else allowed if is_admitted else None)
        for charge, decision in zip(charges, decisions, strict=True)
    ]


def _local_keys(charges: Iterable[Charge]) -> list[tuple[str, bytes]]:
    return [(charge.policy.name, charge.client) for charge in charges]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _redis_windows(client: Any, prefix: str, timeout: float) -> "RedisWindows":
    from mita_otel.ratelimit.redis import RedisWindows  # noqa: PLC0415 - only whoever has Redis has redis-py

    return RedisWindows(client, prefix, timeout)


def _from_environment() -> RateLimitSettings:
    """Read the settings; unlike telemetry, a limit that is not what somebody meant must not go unnoticed.

    Raises:
        SettingsError: one of ours is not allowed.
    """
    settings, problem = Settings.read_leniently(environment())
    ours = {str(field.alias) for field in RateLimitSettings.model_fields.values()}
    wrong = {name: sentence for name, sentence in problem.problems.items() if name in ours} if problem else {}
    if wrong:
        raise SettingsError(wrong)
    return settings
