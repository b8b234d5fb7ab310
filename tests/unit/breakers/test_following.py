"""How a breaker follows what it shares, judged without a store."""

import json
from typing import Any

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from mita_otel.breakers import Override, Policy, Reason, State
from mita_otel.breakers.following import Seen, alone, followed
from mita_otel.breakers.machine import Circuit, asked, half_opened, opened, released
from mita_otel.breakers.shared import messages

POLICY = Policy(open_seconds=60.0, open_jitter=0.0, probe_seconds=5.0)
NOW = 1000.0


def seen(state: State, **changes: Any) -> Seen:
    known = Seen(7, state, wait=30.0, trips=2, reason="", causes=(), override=None, granted=0, is_own=False)
    return known._replace(**changes)


OPEN = opened(POLICY, Circuit(), NOW, 0.0)


def test_an_open_circuit_is_followed_for_as_long_as_the_store_says() -> None:
    circuit, diverged = followed(POLICY, Circuit(generation=4), seen(State.OPEN), NOW, is_new=True)
    assert (circuit.state, circuit.until, circuit.trips, circuit.generation) == (State.OPEN, NOW + 30, 2, 5)
    assert not diverged


@pytest.mark.parametrize("state", [State.CLOSED, State.OPEN])
def test_what_has_not_changed_changes_nothing(state: State) -> None:
    circuit = Circuit() if state is State.CLOSED else OPEN
    assert followed(POLICY, circuit, seen(state), NOW, is_new=False) == (circuit, False)


def test_a_store_that_has_forgotten_an_open_circuit_is_to_be_told() -> None:
    assert followed(POLICY, OPEN, seen(State.CLOSED), NOW, is_new=False) == (OPEN, True)


def test_a_circuit_that_others_have_closed_is_closed() -> None:
    circuit, diverged = followed(POLICY, OPEN, seen(State.CLOSED), NOW, is_new=True)
    assert (circuit.state, circuit.generation, diverged) == (State.CLOSED, OPEN.generation + 1, False)


def test_no_more_probes_are_let_through_than_were_granted_and_only_for_a_while() -> None:
    circuit, _ = followed(POLICY, OPEN, seen(State.HALF_OPEN, granted=1), NOW, is_new=True)
    circuit, permit = asked(POLICY, circuit, NOW)
    assert permit is not None
    assert asked(POLICY, circuit, NOW)[1] is None
    circuit, _ = followed(POLICY, circuit, seen(State.HALF_OPEN, granted=1), NOW, is_new=False)
    assert asked(POLICY, circuit, NOW + 5.0)[1] is None
    assert asked(POLICY, circuit, NOW + 4.9)[1] is not None


def test_a_granted_probe_that_says_nothing_goes_back_to_whoever_granted_it() -> None:
    circuit, _ = followed(POLICY, OPEN, seen(State.HALF_OPEN, granted=2), NOW, is_new=True)
    circuit, permit = asked(POLICY, circuit, NOW)
    assert permit is not None
    circuit = released(circuit, permit)
    assert released(circuit, permit) == circuit
    circuit, permit = asked(POLICY, circuit, NOW)
    assert permit is not None
    assert asked(POLICY, circuit, NOW)[1] is None


def test_without_a_grant_nothing_is_let_through() -> None:
    circuit, _ = followed(POLICY, OPEN, seen(State.HALF_OPEN), NOW, is_new=True)
    assert (circuit.state, asked(POLICY, circuit, NOW)[1]) == (State.HALF_OPEN, None)


def test_a_process_that_is_left_alone_decides_by_itself() -> None:
    waiting = half_opened(OPEN, 0, decides=False)
    circuit = alone(POLICY, waiting)
    assert (circuit.decides, circuit.budget) == (True, POLICY.probes)
    assert alone(POLICY, OPEN) is OPEN


def test_causes_cross_processes() -> None:
    cause = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    sent = messages.trip(POLICY, 3, 0.5, Reason.FAILURES, (cause,))
    answer = {
        "version": 4, "state": "open", "wait_ms": 1500, "trips": 1, "reason": sent["reason"],
        "causes": sent["causes"], "override": "forced_open", "granted": 0, "changed": True,
    }  # fmt: skip
    read = messages.read(json.dumps(answer))
    assert [(each.trace_id, each.span_id) for each in read.causes] == [(0xABC, 0xDEF)]
    assert (read.wait, read.override, read.is_own) == (1.5, Override.FORCED_OPEN, True)
