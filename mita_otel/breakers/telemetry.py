"""What breakers tell: metrics read from their ledgers, changes of state as events, refusals as links to their cause."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter
from opentelemetry.trace import SpanContext

from mita_otel.breakers.ledger import Ledger, Transition
from mita_otel.breakers.registry import REGISTRY, Registry
from mita_otel.breakers.states import FAILED, Outcome, Reason, State
from mita_otel.guard import Guard
from mita_otel.metrics.bound import BoundHistogram
from mita_otel.metrics.catalogue import breakers as catalogue

METER: Final = "mita_otel.breakers"
EVENT: Final = "mita.circuit_breaker.state_change"
REJECTED_EVENT: Final = "mita.circuit_breaker.rejected"
STORAGE_EVENT: Final = "mita.circuit_breaker.storage_{}"
NAME: Final = "circuit_breaker.name"
STATE: Final = "circuit_breaker.state"
OUTCOME: Final = "circuit_breaker.outcome"
LINK: Final = {"mita.link.kind": "tripped_by"}

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records about telemetry of breakers that fails."""

_EXPECTED: Final = (
    (State.CLOSED, State.OPEN, Reason.FAILURES),
    (State.CLOSED, State.OPEN, Reason.FAILURE_RATE),
    (State.OPEN, State.HALF_OPEN, Reason.WAIT_OVER),
    (State.HALF_OPEN, State.OPEN, Reason.PROBE_FAILED),
    (State.HALF_OPEN, State.CLOSED, Reason.PROBES_SUCCEEDED),
)
"""Changes that begin at zero: a first increase that no one saw begin is no increase to Prometheus."""

_logger: Final = logging.getLogger("mita_otel.breakers")

Durations = Mapping[Outcome, Callable[[float], None]]


@lru_cache(1)
def observe_this_process() -> None:
    """Report the breakers of this process to the global provider, also to one that is set later; done once."""
    observe(get_meter(METER), REGISTRY)


def observe(meter: Meter, registry: Registry) -> None:
    """Report the breakers of a registry, now and whenever metrics are collected."""

    def ledgers() -> list[Ledger]:
        return [breaker.ledger for breaker in registry]

    def each(read: Callable[[Ledger], Iterable[tuple[float, dict[str, str]]]]) -> Any:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            for ledger in ledgers():
                for value, attributes in read(ledger):
                    yield Observation(value, {"service": ledger.name, **attributes})

        return callback

    catalogue.STATE.observe(meter, each(lambda of: ((int(of.state is s), {"state": s.value}) for s in State)))
    catalogue.STATE_DURATION.observe(meter, each(lambda of: ((of.seconds_in(s), {"state": s.value}) for s in State)))
    catalogue.CALLS.observe(meter, each(lambda of: ((of.total(o), {"outcome": o.value}) for o in Outcome)))
    catalogue.REQUESTS.observe(
        meter, each(lambda of: ((sum(calls.values()), {"state": s.value}) for s, calls in of.calls.items()))
    )
    catalogue.FAILURES.observe(meter, each(lambda of: [(of.total(*FAILED), {})]))
    catalogue.TRANSITIONS.observe(meter, each(_transitions))
    catalogue.FAILURE_RATE.observe(
        meter, each(lambda of: [] if (rate := of.failure_rate) is None else [(rate, {})])
    )  # fmt: skip
    catalogue.WOULD_REJECT.observe(meter, each(lambda of: [(of.would_reject, {})]))
    catalogue.WOULD_OPEN.observe(meter, each(lambda of: [(of.trips_shadowed, {})]))
    catalogue.STORAGE_EVENTS.observe(
        meter, each(lambda of: [(count, {"event": event}) for event, count in of.storage_events.copy().items()])
    )


def _transitions(of: Ledger) -> Iterable[tuple[float, dict[str, str]]]:
    counted = of.transitions.copy()
    for change in dict.fromkeys((*_EXPECTED, *counted)):
        before, after, reason = change
        yield counted[change], {"from": before.value, "to": after.value, "reason": reason.value}


def durations(name: str, meter: Meter | None = None) -> Durations:
    """Return what records the duration of a breaker's calls, in seconds, by their outcome."""
    instrument = catalogue.CALL_DURATION.create(meter or get_meter(METER))
    return {
        outcome: BoundHistogram(instrument, {"service": name, "outcome": outcome.value}).record
        for outcome in Outcome
        if outcome is not Outcome.REJECTED
    }


def cause() -> SpanContext | None:
    """Return the current span, to be linked to by whoever is refused because of it; None if no one could look it up."""
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid and context.trace_flags.sampled else None


def announce(transition: Transition) -> None:
    """Tell of a change of state: a log event, and an event on the current span."""
    attributes = {
        NAME: transition.name,
        STATE: transition.after.value,
        "circuit_breaker.state.previous": transition.before.value,
        "circuit_breaker.reason": transition.reason.value,
    }
    level = logging.WARNING if transition.after in {State.OPEN, State.FORCED_OPEN} else logging.INFO
    causes = {"circuit_breaker.causes": [f"{c.trace_id:032x}" for c in transition.causes]} if transition.causes else {}
    _logger.log(
        level,
        "circuit breaker %s: %s -> %s (%s)",
        *(transition.name, transition.before.value, transition.after.value, transition.reason.value),
        extra={"event.name": EVENT, **attributes, **causes},
    )
    span = trace.get_current_span()
    if span.is_recording():
        span.add_event(EVENT, attributes)


def mark(name: str, state: State, outcome: Outcome) -> None:
    """Mark the current span with a call that is worth a look."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({NAME: name, STATE: state.value, OUTCOME: outcome.value})


def mark_rejected(name: str, state: State, causes: tuple[SpanContext, ...], retry_after: float) -> None:
    """Mark the current span with a refusal, and link it to the calls whose failures led to it."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.set_attributes({NAME: name, STATE: state.value, OUTCOME: Outcome.REJECTED.value})
    span.add_event(REJECTED_EVENT, {NAME: name, STATE: state.value, "circuit_breaker.retry_after": retry_after})
    # One request may be refused again and again; it needs each link once.
    known = {link.context.span_id for link in getattr(span, "links", ())}
    for context in causes:
        if context.span_id not in known:
            span.add_link(context, {**LINK, NAME: name})


def storage_event(ledger: Ledger, event: str, error: BaseException | None = None) -> None:
    """Tell of what happened to the store that a breaker shares its state through."""
    with ledger.lock:
        ledger.storage_events[event] += 1
    extra = {"event.name": STORAGE_EVENT.format(event), NAME: ledger.name}
    if error is not None:
        extra["error.type"] = type(error).__name__
    sentence = {
        "degraded": "circuit breaker %s: the store of its shared state does not answer; it judges by itself",
        "recovered": "circuit breaker %s: the store of its shared state answers again",
    }[event]
    _logger.log(logging.WARNING if event == "degraded" else logging.INFO, sentence, ledger.name, extra=extra)


GUARD: Final = Guard(_logger)
