"""What is asked of the store, and what it answers."""

import json
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final, TypeAlias

from opentelemetry.trace import SpanContext

from mita_otel.breakers.following import Seen
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.states import Override, State
from mita_otel.traces.propagation import parse, traceresponse

TTL: Final = 2 * 86_400_000
"""Milliseconds that a circuit outlives its last reader: longer than any wait."""

Message: TypeAlias = Mapping[str, Any]

_MOST: Final = 1_000_000_000
"""Stands for a limit that is never reached."""


def read(answer: str | bytes) -> Seen:
    """Read an answer.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(answer)
    return Seen(
        version=int(found["version"]),
        state=State(found["state"]),
        wait=found["wait_ms"] / 1000,
        trips=int(found["trips"]),
        reason=found["reason"],
        causes=_spans(found["causes"]),
        override=Override(found["override"]) if found["override"] else None,
        granted=int(found["granted"]),
        is_own=bool(found["changed"]),
    )


def look(known: int) -> Message:
    """Ask for the circuit."""
    return {"op": "look", "known": known, "ttl": TTL}


def trip(policy: Policy, known: int, draw: float, reason: str, causes: Sequence[SpanContext]) -> Message:
    """Open the circuit, if it is still the closed one that the sender knows."""
    return {**look(known), "op": "trip", "reason": reason, **_opening(policy, draw, causes)}


def probe(policy: Policy, known: int, tickets: Sequence[str]) -> Message:
    """Ask for leave to probe an open circuit whose wait is over."""
    return {
        **look(known),
        "op": "probe",
        "tickets": list(tickets),
        "budget": policy.probes,
        "at_once": policy.half_open_concurrency or policy.probes,
        "lease_ms": round(policy.probe_seconds * 1000),
    }


def result(
    policy: Policy,
    known: int,
    draw: float,
    ticket: str,
    causes: Sequence[SpanContext],
    *,
    failed: bool | None,
    slow: bool,
) -> Message:
    """Tell how a probe has ended; `failed` is None where it says nothing."""
    limit = policy.slow_probes or inf
    return {
        **look(known),
        "op": "result",
        "ticket": ticket,
        "outcome": "none" if failed is None else "failed" if failed else "ok",
        "slow": slow,
        "budget": policy.probes,
        "failed_limit": policy.failed_probes,
        "slow_limit": min(limit, _MOST),
        **_opening(policy, draw, causes),
    }


def override(known: int, word: Override | None) -> Message:
    """Put an operator's word in the place of everybody's judgement."""
    return {**look(known), "op": "override", "override": "" if word is None else word.value}


def _opening(policy: Policy, draw: float, causes: Sequence[SpanContext]) -> Message:
    return {
        "open_ms": round(policy.open_seconds * 1000),
        "backoff": policy.open_backoff,
        "max_ms": round(policy.open_seconds_max * 1000),
        "jitter": policy.open_jitter,
        "draw": draw,
        "causes": " ".join(traceresponse(cause) for cause in causes),
    }


def _spans(text: str) -> tuple[SpanContext, ...]:
    found = (parse(word) for word in text.split())
    return tuple(context for context in found if context is not None)
