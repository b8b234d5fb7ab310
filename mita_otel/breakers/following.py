"""How a breaker follows a circuit that it shares with others: a pure function of what it has and what it sees."""

from dataclasses import replace
from typing import NamedTuple

from opentelemetry.trace import SpanContext

from mita_otel.breakers import machine
from mita_otel.breakers.machine import Circuit
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.states import Override, State


class Seen(NamedTuple):
    """A shared circuit, as the store has answered.

    Attributes:
        wait: of an open one: seconds until it may be probed.
        granted: probes that this process was given leave for, by this answer.
        is_own: whether it was this process's message that changed the state.
    """

    version: int
    state: State
    wait: float
    trips: int
    reason: str
    causes: tuple[SpanContext, ...]
    override: Override | None
    granted: int
    is_own: bool


def followed(policy: Policy, circuit: Circuit, seen: Seen, now: float, *, is_new: bool) -> tuple[Circuit, bool]:
    """Return the circuit that follows what is seen, and whether the others should follow this process instead.

    That is so where it is open here and closed there although nothing has changed there: the store has forgotten, or
    was away while this process judged by itself.

    Args:
        policy: of the breaker.
        circuit: what it has.
        seen: what the store has.
        now: seconds of the breaker's clock.
        is_new: whether that has changed since this process last looked.
    """
    if not is_new and seen.state is State.CLOSED:
        return circuit, circuit.state is State.OPEN
    if seen.state is State.CLOSED:
        return (circuit if circuit.state is State.CLOSED else machine.closed(circuit)), False
    if seen.state is State.OPEN:
        if circuit.state is State.OPEN and not is_new:
            return circuit, False
        until = now + seen.wait
        return Circuit(State.OPEN, circuit.generation + 1, until=until, trips=seen.trips), False
    return _half_open(policy, circuit, seen, now, is_new=is_new), False


def _half_open(policy: Policy, circuit: Circuit, seen: Seen, now: float, *, is_new: bool) -> Circuit:
    """Return a half-open circuit with leave for the probes that were granted, as long as the grant lasts."""
    until = now + policy.probe_seconds
    if is_new or circuit.state is not State.HALF_OPEN or circuit.decides:
        begun = machine.half_opened(circuit, seen.granted, decides=False)
        return replace(begun, until=until, trips=seen.trips)
    if not seen.granted:
        return circuit
    return replace(circuit, budget=circuit.budget + seen.granted, until=until)


def alone(policy: Policy, circuit: Circuit) -> Circuit:
    """Return the circuit of a process that has nobody to follow: what others had to decide, it decides now."""
    if circuit.state is State.HALF_OPEN and not circuit.decides:
        return machine.half_opened(circuit, policy.probes)
    return circuit
