"""The state machine of a breaker: pure functions of a circuit, an event and the time.

Times are seconds of a monotonic clock. While a circuit is closed, its window judges the calls; a circuit itself changes
with its state, and with each probe while it is half open. Every state has a generation of its own, so that a call which
ends in another state than it began in says nothing.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from mita_otel.breakers.policy import Policy
from mita_otel.breakers.states import Reason, State

PROBING_SECONDS: Final = 1.0
"""What a caller is told to wait while others' probes are under way."""


class Permit(NamedTuple):
    """The leave to make one call.

    Attributes:
        generation: of the state that gave it.
        ticket: of a probe, 1 and above; 0 while the circuit is closed.
        state: in which it was given.
    """

    generation: int
    ticket: int = 0
    state: State = State.CLOSED


class Lease(NamedTuple):
    """A probe under way, and when its permit goes to someone else."""

    ticket: int
    until: float


@dataclass(frozen=True, slots=True)
class Circuit:
    """One state of a breaker.

    Attributes:
        state: closed, open or half open.
        generation: grows with every change of the state.
        until: of an open circuit: when probing may begin; of a half-open one that does not decide: when the leave that
            it was granted ends.
        trips: how often it has opened since it was last closed.
        budget: of a half-open one: probes that decide, or that this process was granted.
        decides: of a half-open one: whether this process draws the conclusion; else whoever granted the probes.
        tickets: probes begun.
        leases: probes under way.
        succeeded: probes that ended well, or at least fast enough.
        failed: probes that did not.
        slow: probes that were slow, whatever else.
    """

    state: State = State.CLOSED
    generation: int = 0
    until: float = 0.0
    trips: int = 0
    budget: int = 0
    decides: bool = True
    tickets: int = 0
    leases: tuple[Lease, ...] = ()
    succeeded: int = 0
    failed: int = 0
    slow: int = 0


def opened(policy: Policy, circuit: Circuit, now: float, draw: float) -> Circuit:
    """Return the circuit once it has tripped; `draw` is a number by chance, 0 to 1."""
    trips = circuit.trips + 1
    until = now + policy.wait(trips, draw)
    return Circuit(State.OPEN, circuit.generation + 1, until=until, trips=trips)


def half_opened(circuit: Circuit, budget: int, *, decides: bool = True) -> Circuit:
    """Return the circuit once its wait is over, with leave for so many probes."""
    return Circuit(
        State.HALF_OPEN, circuit.generation + 1, trips=circuit.trips, budget=budget, decides=decides
    )  # fmt: skip


def closed(circuit: Circuit) -> Circuit:
    """Return the circuit once its dependency has recovered."""
    return Circuit(State.CLOSED, circuit.generation + 1)


def asked(policy: Policy, circuit: Circuit, now: float) -> tuple[Circuit, Permit | None]:
    """Return the circuit once a caller has asked for leave, and the permit if it has one.

    An open circuit whose wait is over is half open from then on; of a half-open one's probes those that have taken too
    long lose their permits.
    """
    if circuit.state is State.CLOSED:
        return circuit, Permit(circuit.generation)
    if circuit.state is State.OPEN:
        if now < circuit.until:
            return circuit, None
        circuit = half_opened(circuit, policy.probes)
    elif not circuit.decides and now >= circuit.until:
        return circuit, None
    leases = tuple(lease for lease in circuit.leases if lease.until > now)
    at_once = circuit.budget if policy.half_open_concurrency is None else policy.half_open_concurrency
    if len(leases) >= at_once or circuit.succeeded + circuit.failed + len(leases) >= circuit.budget:
        return circuit, None
    ticket = circuit.tickets + 1
    leases = (*leases, Lease(ticket, now + policy.probe_seconds))
    return replace(circuit, tickets=ticket, leases=leases), Permit(circuit.generation, ticket, State.HALF_OPEN)


def probed(
    policy: Policy, circuit: Circuit, permit: Permit, now: float, draw: float, *, failed: bool, slow: bool
) -> tuple[Circuit, Reason | None]:
    """Return the circuit once a probe has ended, and why its state has changed if it has.

    A probe of another generation, or one whose permit went to someone else, changes nothing.
    """
    circuit, is_current = _returned(circuit, permit)
    if not is_current:
        return circuit, None
    circuit = replace(
        circuit,
        succeeded=circuit.succeeded + (not failed),
        failed=circuit.failed + failed,
        slow=circuit.slow + slow,
    )
    if not circuit.decides:
        return circuit, None
    too_slow = policy.slow_probes is not None and circuit.slow >= policy.slow_probes
    if circuit.failed >= policy.failed_probes or too_slow:
        return opened(policy, circuit, now, draw), Reason.PROBE_FAILED
    if circuit.succeeded + circuit.failed >= circuit.budget:
        return closed(circuit), Reason.PROBES_SUCCEEDED
    return circuit, None


def released(circuit: Circuit, permit: Permit) -> Circuit:
    """Return the circuit once a call has ended that says nothing, such as a cancelled one.

    Its permit is there for another call; one that was granted goes back to whoever grants.
    """
    circuit, is_current = _returned(circuit, permit)
    return circuit if circuit.decides or not is_current else replace(circuit, budget=circuit.budget - 1)


def retry_after(circuit: Circuit, now: float) -> float:
    """Return the seconds after which a caller who was refused may ask again."""
    return PROBING_SECONDS if circuit.state is State.HALF_OPEN else max(0.0, circuit.until - now)


def _returned(circuit: Circuit, permit: Permit) -> tuple[Circuit, bool]:
    """Return the circuit without the lease of a permit, and whether it had it."""
    if permit.generation != circuit.generation or not permit.ticket:
        return circuit, False
    leases = tuple(lease for lease in circuit.leases if lease.ticket != permit.ticket)
    if len(leases) == len(circuit.leases):
        return circuit, False
    return replace(circuit, leases=leases), True
