"""The request being served: its SERVER span, reachable where that is no longer current, and what ran for it."""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, SpanKind

from mita_otel import correlation
from mita_otel.traces.positions import IS_VALID

_new: Final = object.__new__


class Served:
    """One request; all the tasks and threads that work for it see the same object.

    It is made by `received`, without a constructor: 0.3 us less for each request.

    Attributes:
        before: what was in its place in the context that serves it; None when it is served.
        error: type of the first error that was told of.
        failed: the dependency whose operation failed last.
        flags: variants of the feature flags that were evaluated for it, by key; None where there were none.
        route: returns the template of its route, while it is served.
        span: its SERVER span while that records and an answer has not begun.
        span_context: that span's context, also of one that is not sampled.
        statements: how often each SQL statement ran for it; None where no one counts, as after the answer has begun.
        untrusted_parent: what the SERVER span links to instead of continuing it.
        user: the id of who is known to send it.
        waits: seconds that it waited for each dependency; None where no one wants to know.
    """

    __slots__ = (
        *("before", "error", "failed", "flags", "route", "span", "span_context", "statements", "untrusted_parent"),
        *("user", "waits"),
    )

    before: "Before | None"
    error: str | None
    failed: str | None
    flags: dict[str, str] | None
    route: Callable[[], str | None] | None
    span: Span | None
    span_context: SpanContext
    statements: dict[str, int] | None
    untrusted_parent: SpanContext | None
    user: str | None
    waits: dict[str, float] | None


class _Stray(Served):
    """Stands for a request that no layer of ours serves: known by its SERVER span alone."""

    __slots__ = ()


_served: ContextVar[Served | None] = ContextVar("mita_request", default=None)

Before: TypeAlias = Token[Served | None]
"""What `put` put away."""

USER_LENGTH: Final = 128
"""Characters of a user's id."""

STATEMENTS_COUNTED: Final = 256
"""Different statements that are counted for one request."""

DEPENDENCIES_TIMED: Final = 16
"""Dependencies that a request may wait for, one by one."""

FLAGS_NOTED: Final = 16
"""Feature flags of one request that are remembered."""

UNTRUSTED_LINK: Final = {"mita.link.kind": "untrusted_parent"}

put: Final = _served.set
"""Put a request in the place of this context's last one; hand the token to `restore`."""

restore: Final = _served.reset
"""Go back to what was there before `put`. Raises ValueError in another context than that of `put`."""

current: Final = _served.get
"""Return the request that this context works for, or None. It may be answered already: tasks outlive requests."""


def span_context() -> SpanContext:
    """Return the span context of the request's SERVER span; not valid outside a request.

    Servers write their access line and report unhandled exceptions after the span is over, but in the same task.
    """
    served = _served.get()
    return INVALID_SPAN_CONTEXT if served is None else served.span_context


def received(
    untrusted_parent: SpanContext | None = None,
    statements: dict[str, int] | None = None,
    waits: dict[str, float] | None = None,
    kind: type[Served] = Served,
) -> Served:
    """Return a new request, of which nothing is known.

    Args:
        untrusted_parent: a caller's span that is linked to but not continued.
        statements: where the statements that run for it are counted; nowhere without it.
        waits: where what it waits for is timed; nowhere without it.
        kind: what to make.
    """
    served = _new(kind)
    served.before = served.error = served.failed = served.flags = served.route = served.span = served.user = None
    served.span_context = INVALID_SPAN_CONTEXT
    served.statements = statements
    served.untrusted_parent = untrusted_parent
    served.waits = waits
    return served


def begin(*, timing: bool = False) -> Before:
    """Put a new request in the place of this context's last one; hand the token to `restore`.

    Args:
        timing: whether what it waits for is timed.
    """
    return put(received(waits={} if timing else None))


def is_served_here(served: Served) -> bool:
    """Say whether the current request is under way in this very context, and not in one of which this is a copy."""
    if served.before is None:
        return False
    try:
        # There is no other way to ask whose token it is; a token can be used once.
        restore(served.before)
    except ValueError:
        return False
    served.before = put(served)
    return True


def identify_user(user: object) -> None:
    """Say who sends the request being served, once that is verified; outside of a request nothing happens.

    Nobody else does: a token that the application has not verified is never looked at.

    Args:
        user: an id, of which 128 characters are kept.
    """
    served = _served.get()
    if served is not None:
        served.user = str(user)[:USER_LENGTH]


def count(statement: str) -> None:
    """Count a statement that runs for the request, if anyone wants to know."""
    served = _served.get()
    if served is None or (statements := served.statements) is None:
        return
    before = statements.get(statement)
    if before is not None:
        statements[statement] = before + 1
    elif len(statements) < STATEMENTS_COUNTED:
        statements[statement] = 1


def waited(dependency: str, seconds: float) -> None:
    """Add to the time that the request waited for a dependency, if anyone wants to know; 0.1 us."""
    served = _served.get()
    if served is None or (waits := served.waits) is None:
        return
    before = waits.get(dependency)
    if before is not None:
        waits[dependency] = before + seconds
    elif len(waits) < DEPENDENCIES_TIMED:
        waits[dependency] = seconds


def failed(dependency: str) -> None:
    """Remember whose operation failed: the last one of the request is what is looked at first."""
    served = _served.get()
    if served is not None:
        served.failed = dependency


def erred(error_type: str) -> None:
    """Remember the type of an error of the request, unless one was told of before: that one was nearer to it."""
    served = _served.get()
    if served is not None and served.error is None:
        served.error = error_type


def evaluated(flag: str, variant: str) -> None:
    """Remember what a feature flag was for the request."""
    served = _served.get()
    if served is None:
        return
    if served.flags is None:
        served.flags = {}
    if flag in served.flags or len(served.flags) < FLAGS_NOTED:
        served.flags[flag] = variant


def remember(context: SpanContext) -> None:
    """Remember an unsampled SERVER span, which no processor is told of."""
    served = _served.get()
    if served is not None and not served.span_context[IS_VALID]:
        served.span_context = context


class RequestSpanProcessor(SpanProcessor):
    """Marks SERVER spans with the correlation id and remembers them; our own server's span does so itself."""

    starts_server_spans_only: Final = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Mark a SERVER span as it starts; other spans cost one comparison."""
        if span.kind is not SpanKind.SERVER:
            return
        served = _served.get()
        if served is None or isinstance(served, _Stray):
            served = received(kind=_Stray)
            _served.set(served)
        if not served.span_context[IS_VALID]:
            served.span = span
            served.span_context = span.get_span_context()
        correlation_id = correlation.current()
        if correlation_id is not None:
            span.set_attribute(correlation.ATTRIBUTE, correlation_id)
        if served.untrusted_parent is not None:
            span.add_link(served.untrusted_parent, UNTRUSTED_LINK)
