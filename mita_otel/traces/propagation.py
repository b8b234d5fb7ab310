"""W3C Trace Context (levels 1 and 2) and Baggage, read and written to the letter; malformed input never fails."""

import re
from collections.abc import Iterable, MutableMapping, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final
from urllib.parse import quote, unquote

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState
from opentelemetry.trace.span import DEFAULT_TRACE_STATE

from mita_otel.traces.positions import IS_VALID, STATE

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
BAGGAGE: Final = "baggage"

MAX_TRACESTATE_MEMBERS: Final = 32
"""More make the whole list invalid. Source: https://www.w3.org/TR/trace-context-2/#list"""
MAX_TRACESTATE_LENGTH: Final = 8_192
"""Characters passed on, commas included; at least 512 must be. Source: .../trace-context-2/#tracestate-limits"""
LARGE_MEMBER: Final = 128
"""Members of more characters are the first to go when a list is too long. Source: as above."""

MAX_BAGGAGE_LENGTH: Final = 8_192
"""Bytes of all members together. Source: https://www.w3.org/TR/baggage/#limits"""
MAX_BAGGAGE_MEMBERS: Final = 180
"""Members; at least 64 must be passed on, and 180 is what older versions of the specification allow."""

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KNOWN_FLAGS: Final = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
_FLAGS_TEXTS: Final = tuple(f"{flags:02x}" for flags in range(_KNOWN_FLAGS + 1))
_KEY: Final = r"[a-z0-9][a-z0-9_\-*/@]{0,255}"
_VALUE: Final = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER: Final = re.compile(rf"({_KEY})=({_VALUE})")

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAGGAGE_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
# What percent-encoding may leave as it is: the octets of a value, less the percent sign.
_BAGGAGE_SAFE: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"


class LevelTwoTraceState(TraceState):
    """A trace state whose keys follow level 2: they may begin with a digit and hold any number of at signs.

    Args:
        members: valid members in their order, each key once.
    """

    def __init__(self, members: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        # The parent class refuses keys that only level 2 allows.
        self._dict: dict[str, str] = dict(members)

    def add(self, key: str, value: str) -> "LevelTwoTraceState":
        """Return a state with a new member in front; the same state if that is invalid or the key is there."""
        return self if key in self._dict else self.update(key, value)

    def update(self, key: str, value: str) -> "LevelTwoTraceState":
        """Return a state with this member in front, the right-most one removed beyond 32; unchanged if invalid."""
        if _MEMBER.fullmatch(f"{key}={value}") is None:
            return self
        others = [member for member in self._dict.items() if member[0] != key]
        return LevelTwoTraceState([(key, value), *others[: MAX_TRACESTATE_MEMBERS - 1]])

    def delete(self, key: str) -> "LevelTwoTraceState":
        """Return a state without a key."""
        return LevelTwoTraceState([member for member in self._dict.items() if member[0] != key])


class TraceContextPropagator(TextMapPropagator):
    """Reads and writes `traceparent` and `tracestate`.

    Source: https://www.w3.org/TR/trace-context-2/
    """

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Return the context with the remote parent; without one if `traceparent` is absent, invalid or repeated."""
        context = Context() if context is None else context
        parents = _values(getter, carrier, TRACEPARENT)
        if len(parents) != 1:
            return context
        span_context = parse(parents[0], _values(getter, carrier, TRACESTATE))
        return context if span_context is None else trace.set_span_in_context(NonRecordingSpan(span_context), context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write the current span of the context; nothing if there is none."""
        headers: dict[str, str] = {}
        write(trace.get_current_span(context).get_span_context(), headers)
        for name, value in headers.items():
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        """Return the headers that `inject` may set."""
        return {TRACEPARENT, TRACESTATE}


def write(span_context: SpanContext, headers: MutableMapping[str, str]) -> None:
    """Write a span's context into headers; nothing if it is not valid."""
    # By their positions, as the properties are calls.
    if span_context[IS_VALID]:
        headers[TRACEPARENT] = traceresponse(span_context)
        state = span_context[STATE]
        if state is not DEFAULT_TRACE_STATE and state:
            headers[TRACESTATE] = state.to_header()


def parse(traceparent: str, tracestates: Sequence[str] = ()) -> SpanContext | None:
    """Return the span context of a `traceparent` and any number of `tracestate` headers, None if it is invalid.

    A version not known yet may have more parts; version `ff` is forbidden. Flags that are not known are cleared.
    """
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    span_context = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16) & _KNOWN_FLAGS),
        trace_state=parse_tracestate(tracestates),
    )
    return span_context if span_context.is_valid else None


def parse_tracestate(headers: Iterable[str]) -> TraceState:
    """Return the members of all headers in their order; an empty state if one member is invalid or there are over 32.

    Of members with the same key the left-most is kept: it is the most recent.
    """
    members: dict[str, str] = {}
    count = 0
    for member in ",".join(headers).split(","):
        stripped = member.strip(" \t")
        if not stripped:
            continue
        # Leading spaces of a value belong to it, trailing ones do not.
        match = _MEMBER.fullmatch(stripped)
        count += 1
        if match is None or count > MAX_TRACESTATE_MEMBERS:
            return LevelTwoTraceState()
        members.setdefault(match.group(1), match.group(2))
    return LevelTwoTraceState(_shortened(list(members.items())))


def _shortened(members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Remove whole members until the list is short enough: large ones first, then from the end."""
    excess = sum(map(_length, members)) - 1 - MAX_TRACESTATE_LENGTH
    large = [member for member in members if _length(member) - 2 >= LARGE_MEMBER]
    for member in [*reversed(large), *(member for member in reversed(members) if member not in large)]:
        if excess <= 0:
            break
        members.remove(member)
        excess -= _length(member)
    return members


def _length(member: tuple[str, str]) -> int:
    """Return the characters of a member with its equals sign and the comma after it."""
    return len(member[0]) + len(member[1]) + 2


class BaggagePropagator(TextMapPropagator):
    """Reads and writes baggage within the specification's limits.

    Members beyond a limit and malformed ones are left out alone. Properties of members are not kept: the API has no
    place for them. Which hosts may see baggage is for the client's instrumentation to decide: a propagator is not told
    where a request goes.

    Source: https://www.w3.org/TR/baggage/
    """

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Return the context with the members that are valid and fit."""
        context = Context() if context is None else context
        for key, value in parse_baggage(_values(getter, carrier, BAGGAGE)):
            context = baggage.set_baggage(key, value, context)
        return context

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write the members that are valid and fit; nothing if there are none."""
        header = baggage_header(baggage.get_all(context).items())
        if header:
            setter.set(carrier, BAGGAGE, header)

    @property
    def fields(self) -> set[str]:
        """Return the headers that `inject` may set."""
        return {BAGGAGE}


def parse_baggage(headers: Iterable[str]) -> list[tuple[str, str]]:
    """Return the members of all headers that are well-formed and fit; of members with one key the last."""
    members: dict[str, str] = {}
    left = MAX_BAGGAGE_LENGTH
    # A member can only fit if it begins within the limit, so no more is looked at.
    for member in ",".join(headers)[: 2 * MAX_BAGGAGE_LENGTH].split(","):
        left -= len(member) + 1
        if left < -1 or len(members) >= MAX_BAGGAGE_MEMBERS:
            break
        key, equals, rest = member.partition("=")
        key, value = key.strip(" \t"), rest.partition(";")[0].strip(" \t")
        if equals and _TOKEN.fullmatch(key) and _BAGGAGE_VALUE.fullmatch(value):
            members[key] = unquote(value, errors="replace")
    return list(members.items())


def baggage_header(members: Iterable[tuple[str, object]]) -> str:
    """Return the header for these members; those whose key is no token and those that do not fit are left out."""
    kept: list[str] = []
    left = MAX_BAGGAGE_LENGTH + 1
    for key, value in members:
        if len(kept) >= MAX_BAGGAGE_MEMBERS:
            break
        member = f"{key}={quote(str(value), safe=_BAGGAGE_SAFE, errors='replace')}"
        if _TOKEN.fullmatch(key) and len(member) < left:
            kept.append(member)
            left -= len(member) + 1
    return ",".join(kept)


def traceresponse(span_context: SpanContext) -> str:
    """Return a span context in the form that `traceparent` and `traceresponse` share."""
    # The three properties would be calls, and a format of such numbers takes twice the time that bytes do.
    trace_id, span_id, _, flags = span_context[:4]
    known = _FLAGS_TEXTS[flags & _KNOWN_FLAGS]
    return f"00-{trace_id.to_bytes(16, 'big').hex()}-{span_id.to_bytes(8, 'big').hex()}-{known}"


def install(names: Sequence[str] | None = None) -> None:
    """Make the propagators that `OTEL_PROPAGATORS` names the global ones.

    Raises:
        ValueError: a name is not known.
    """
    set_global_textmap(propagator(names))


def propagator(names: Sequence[str] | None = None) -> TextMapPropagator:
    """Return the propagators of these names, trace context and baggage by default.

    Raises:
        ValueError: a name is not known.
    """
    wanted = dict.fromkeys(("tracecontext", "baggage") if names is None else names)
    return CompositePropagator([_named(name) for name in wanted if name != "none"])


@lru_cache(8)
def reads_only_w3c(textmap: TextMapPropagator) -> bool:
    """Say whether a propagator reads and writes no other headers than `traceparent`, `tracestate` and `baggage`.

    Then who has those headers at hand need not have them looked for. The answer is kept, as propagators do not change.
    """
    return {type(part) for part in _parts(textmap)} <= {TraceContextPropagator, BaggagePropagator}


@lru_cache(8)
def writes_trace_context(textmap: TextMapPropagator) -> bool:
    """Say whether our own trace context is part of a propagator; the answer is kept."""
    return any(type(part) is TraceContextPropagator for part in _parts(textmap))


def _parts(textmap: TextMapPropagator) -> Sequence[TextMapPropagator]:
    return textmap._propagators if type(textmap) is CompositePropagator else [textmap]  # noqa: SLF001 - no public name


def _named(name: str) -> TextMapPropagator:
    if name == "tracecontext":
        return TraceContextPropagator()
    if name == "baggage":
        return BaggagePropagator()
    for entry_point in entry_points(group="opentelemetry_propagator", name=name):
        other: TextMapPropagator = entry_point.load()()
        return other
    raise ValueError(f"OTEL_PROPAGATORS={name!r} is not allowed: no installed propagator has that name")


def _values(getter: Getter[CarrierT], carrier: CarrierT, key: str) -> list[str]:
    """Return every value of a header, one for each time it was sent."""
    values = getter.get(carrier, key)
    if values is None:
        return []
    return list(values)
