"""What rate limits have done in this process: counted in dicts, told at each collection."""

from collections.abc import Iterable
from typing import Final, Literal, Protocol, TypeAlias, get_args
from weakref import ReferenceType, WeakKeyDictionary, ref

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.bound import BoundHistogram
from mita_otel.metrics.catalogue import reliability as catalogue

Result: TypeAlias = Literal["allowed", "blocked", "fallback_allowed", "fallback_blocked", "error"]
Backend: TypeAlias = Literal["redis", "local", "fallback"]
State: TypeAlias = Literal["up", "down", "local"]

METER: Final = "mita_otel.ratelimit"

BLOCKED: Final[frozenset[Result]] = frozenset({"blocked", "fallback_blocked"})


class Observed(Protocol):
    """What a limiter tells at each collection."""

    def state(self) -> State:
        """Return the state of what it counts in."""

    def replicas(self) -> int:
        """Return the processes among which it divides quotas."""


class Statistics:
    """The counts of all limiters of a process, of which there is one unless somebody tests.

    Args:
        provider: makes the instruments.
    """

    __slots__ = ("_durations", "_evicted", "_malformed", "_newest", "_requests", "_utilization", "_utilizations")

    def __init__(self, provider: MeterProvider) -> None:
        self._requests: dict[tuple[str, Result], int] = {}
        self._evicted: dict[str, int] = {}
        self._malformed = 0
        self._newest: ReferenceType[Observed] | None = None
        meter = provider.get_meter(METER)
        duration = catalogue.RATE_LIMIT_CHECK_DURATION.create(meter)
        self._durations = {each: BoundHistogram(duration, {"backend": each}) for each in get_args(Backend)}
        self._utilization = catalogue.RATE_LIMIT_UTILIZATION.create(meter)
        self._utilizations: dict[str, BoundHistogram] = {}
        catalogue.RATE_LIMIT_REQUESTS.observe(meter, self._observe_requests)
        catalogue.RATE_LIMIT_BACKEND_STATE.observe(meter, self._observe_state)
        catalogue.RATE_LIMIT_REPLICAS.observe(meter, self._observe_replicas)
        catalogue.RATE_LIMIT_EVICTIONS.observe(meter, self._observe_evictions)
        catalogue.RATE_LIMIT_MALFORMED_HEADERS.observe(meter, lambda _: [Observation(self._malformed)])

    def add(self, limiter: Observed, policies: Iterable[str]) -> None:
        """Tell of a limiter and its policies from now on; what it counts in is told of the newest one."""
        self._newest = ref(limiter)
        results: tuple[Result, ...] = get_args(Result)
        for name in policies:
            # Zeros from the start: a first increase that no one saw begin is none to Prometheus.
            self._evicted.setdefault(name, 0)
            self._utilizations.setdefault(name, BoundHistogram(self._utilization, {"policy": name}))
            for result in results:
                self._requests.setdefault((name, result), 0)

    def count(self, policy: str, result: Result, utilization: float | None) -> None:
        """Count a request under one policy, and the share of its quota that is used if that is known."""
        self._requests[policy, result] += 1
        if utilization is not None:
            self._utilizations[policy].record(utilization)

    def took(self, seconds: float, backend: Backend) -> None:
        """Record how long all policies of a request took."""
        self._durations[backend].record(seconds)

    def evicted(self, policy: str) -> None:
        """Count a client that was forgotten."""
        self._evicted[policy] += 1

    def malformed(self) -> None:
        """Count a header that could not be read."""
        self._malformed += 1

    def requests(self, policy: str) -> dict[str, int]:
        """Return the requests of a policy, by result."""
        return {result: number for (name, result), number in self._requests.items() if name == policy}

    def _observe_requests(self, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(number, {"policy": policy, "result": result})
            for (policy, result), number in self._requests.items()
        ]

    def _observe_state(self, _: CallbackOptions) -> Iterable[Observation]:
        limiter = self._newest and self._newest()
        if not limiter:
            return []
        found = limiter.state()
        return [Observation(int(state == found), {"state": state}) for state in get_args(State)]

    def _observe_replicas(self, _: CallbackOptions) -> Iterable[Observation]:
        limiter = self._newest and self._newest()
        return [Observation(limiter.replicas())] if limiter else []

    def _observe_evictions(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(number, {"policy": policy}) for policy, number in self._evicted.items()]


_by_provider: Final[WeakKeyDictionary[MeterProvider, Statistics]] = WeakKeyDictionary()


def statistics_of(provider: MeterProvider) -> Statistics:
    """Return the statistics that a provider's readers collect: its instruments are made once."""
    if provider not in _by_provider:
        _by_provider[provider] = Statistics(provider)
    return _by_provider[provider]
