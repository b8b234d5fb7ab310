"""What the database libraries share: one CLIENT span and one duration an operation, with attributes built once.

Source: OpenTelemetry semantic conventions for database clients, stable since 1.33.
"""

import time
from collections.abc import Callable, Mapping
from contextvars import Token
from functools import lru_cache
from typing import Any, Final
from weakref import WeakSet

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.instrumentation.utils import _SUPPRESS_INSTRUMENTATION_KEY_PLAIN
from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TraceFlags, Tracer
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel.current_context import attach, detach, get_current
from mita_otel.errors import is_timeout
from mita_otel.installed import version
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import Link, driver_error, is_there, status_code
from mita_otel.libraries.model import Telemetry
from mita_otel.libraries.quiet import quiet
from mita_otel.libraries.slow import SlowQueries
from mita_otel.libraries.statements import TEXT_LIMIT, describe
from mita_otel.libraries.transactions import Conflicts
from mita_otel.metrics import timeouts
from mita_otel.metrics.bound import BoundHistogram, Handles, Series, histograms
from mita_otel.metrics.catalogue.database import OPERATION_DURATION
from mita_otel.metrics.looks import NEVER
from mita_otel.retries import deadline
from mita_otel.traces import request
from mita_otel.traces.attributes import ConstantAttributes
from mita_otel.traces.positions import FLAGS

STATEMENTS_KEPT: Final = 1024
"""Descriptions of statements that an endpoint keeps, so that each is read once and not at every execution."""

VERSION: Final = version("mita-otel")
SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.40.0"

owned: Final[WeakSet[Any]] = WeakSet()
"""Driver connections that another instrumented library works through, and traces itself."""

_READING: Final = frozenset({"SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", "FETCH"})
"""Operations that change nothing, unless a function that they call does."""

_SAMPLED: Final = TraceFlags.SAMPLED

Attributes = Mapping[str, str | int]


class Call:
    """A kind of operation on one endpoint: everything about it that does not change from one time to the next.

    Attributes:
        series: of the duration of those that succeed: the metric's attributes, as they are looked up.
        text: an SQL statement without its values; None of what is no SQL.
        statement: the same with its values; None also where it is longer than `TEXT_LIMIT`.
        reads: whether it is known to change nothing.
        dependency: what it is an operation of, in a word.
    """

    __slots__ = (
        "attributes", "dependency", "link", "metric_attributes", "reads", "series", "span_name", "statement", "text"
    )  # fmt: skip

    def __init__(
        self,
        span_name: str,
        attributes: Attributes,
        metric_attributes: Attributes,
        link: Link,
        *,
        text: str | None = None,
        statement: str | None = None,
        reads: bool = False,
        dependency: str = "",
    ) -> None:
        self.span_name: Final = span_name
        self.attributes: Final = attributes
        self.metric_attributes: Final = metric_attributes
        self.series: Final[Series] = tuple(metric_attributes.items())
        self.link: Final = link
        self.text: Final = text
        self.statement: Final = statement
        self.reads: Final = reads
        self.dependency: Final = dependency


class Endpoint:
    """A database as its client addresses it.

    Attributes:
        system: value of `db.system.name`.
        namespace: value of `db.namespace`, if there is one.
        address: host name, IP address or path of a socket.
        port: TCP port.
        link: whether it answers.
        find: what is fixed about a statement, once (False) or as a batch (True); None if it is no one's query.
    """

    __slots__ = ("_identity", "address", "find", "link", "namespace", "port", "system")

    def __init__(
        self, system: str, namespace: str | None = None, address: str | None = None, port: int | None = None
    ) -> None:
        self.system: Final = system
        self.namespace: Final = namespace
        self.address: Final = address
        self.port: Final = port
        self._identity: Final = (system, namespace, address, port)
        self.link: Final = Link(self.pool_name)
        self.find: Final[Callable[[str, bool], Call | None]] = lru_cache(STATEMENTS_KEPT)(self._describe)

    def __eq__(self, other: object) -> bool:
        """Two pools of one database have equal endpoints."""
        return isinstance(other, Endpoint) and self._identity == other._identity

    def __hash__(self) -> int:
        """Endpoints are keys of what is known of their commands."""
        return hash(self._identity)

    def __repr__(self) -> str:
        """Show what is compared."""
        return f"Endpoint{self._identity!r}"

    @property
    def attributes(self) -> Attributes:
        """What every span and every duration of this endpoint carries."""
        named = {
            "db.system.name": self.system,
            "db.namespace": self.namespace,
            "server.address": self.address,
            "server.port": self.port if self.address else None,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def pool_name(self) -> str:
        """Value of `db.client.connection.pool.name`: `address:port/namespace` as far as known.

        Source: semantic conventions, for pools without a name of their own.
        """
        host = f"{self.address}:{self.port}" if self.address and self.port else self.address or self.system
        return f"{host}/{self.namespace}" if self.namespace else host

    @property
    def dependency(self) -> str:
        """What it is to those who look for the cause of something: `postgresql/shop`."""
        return f"{self.system}/{self.namespace}" if self.namespace else self.system

    def call(
        self,
        span_name: str,
        operation: str | None,
        attributes: Attributes,
        *,
        text: str | None = None,
        statement: str | None = None,
        reads: bool = False,
    ) -> Call:
        """Return the call of an operation; `attributes` are the span's own."""
        metric = {**self.attributes, **({"db.operation.name": operation} if operation else {})}
        return Call(
            span_name,
            ConstantAttributes({**metric, **attributes}),
            metric,
            self.link,
            text=text,
            statement=statement,
            reads=reads,
            dependency=self.dependency,
        )

    def statement(self, statement: str, *, batch: bool) -> Call | None:
        """Return the call of an SQL statement, or None if it only controls a transaction."""
        return self.find(statement if len(statement) <= TEXT_LIMIT else statement[: TEXT_LIMIT + 1], batch)

    def _describe(self, statement: str, batch: bool) -> Call | None:  # noqa: FBT001 - called through the cache
        described = describe(statement)
        if described.controls_transaction:
            return None
        prefix = "BATCH " if batch else ""
        operation = prefix + described.operation if described.operation else None
        summary = prefix + described.summary if described.summary else None
        attributes: dict[str, str | int] = {"db.query.text": described.text}
        if summary:
            attributes["db.query.summary"] = summary
        if len(described.collections) == 1:
            attributes["db.collection.name"] = described.collections[0]
        return self.call(
            summary or self.namespace or self.system,
            operation,
            attributes,
            text=described.text,
            statement=statement if len(statement) <= TEXT_LIMIT else None,
            reads=described.operation in _READING,
        )


class Operation:
    """An operation under way: its span is current until `end`."""

    __slots__ = ("_call", "_client", "_context", "_quiet", "_span", "_started", "_token")

    def __init__(
        self,
        client: "Client",
        call: Call,
        *,
        span: Span,
        context: Context,
        token: Token[Context] | None,
        hushed: Token[bool] | None,
    ) -> None:
        self._client = client
        self._call = call
        self._span = span
        self._context = context
        self._token = token
        self._quiet = hushed
        self._started = time.perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """End the span and record the duration; never raises."""
        ended = time.perf_counter()
        if self._quiet is not None:
            quiet.reset(self._quiet)
        if self._token is not None:
            detach(self._token)
        call, client, elapsed = self._call, self._client, ended - self._started
        try:
            series = call.series
            if error is None:
                call.link.answered_at = ended
            else:
                series = (*series, ("error.type", self._failed(driver_error(error), ended)))
            if elapsed >= client.slow_after and call.text is not None:
                client.slow(call, elapsed, self._span, self._context)
            span = self._span
            span.end()
            handle = client.durations.known(series) or client.durations.of(series)
            if self._token is None:
                handle.record(elapsed, self._context)
            else:
                # It is the span of the context, so it need not be looked for in there.
                own = span.get_span_context()
                handle.record_of(elapsed, self._context, own if own[FLAGS] & _SAMPLED else None)
            request.waited(call.dependency, elapsed)
        except Exception:  # noqa: BLE001 - telemetry never breaks the application
            client.faults.report()

    def _failed(self, cause: BaseException, ended: float) -> str:
        """Tell of an error everywhere but in the duration; return its type."""
        # A wait that is ended by its deadline is cancelled, which says less.
        error_type = "timeout" if deadline.is_late(cause) else type_name(cause)
        code = status_code(cause)
        request.failed(self._call.dependency)
        there = is_there(cause)
        if there is not None:
            self._call.link.answered_at = ended if there else NEVER
        if is_timeout(cause) or deadline.is_interrupted(cause):
            is_cache = self._call.attributes["db.system.name"] == "redis"
            self._client.timeouts.add(scope="cache" if is_cache else "database")
        self._client.conflicts.count(code)
        if self._span.is_recording():
            self._span.set_attribute("error.type", error_type)
            if code is not None:
                self._span.set_attribute("db.response.status_code", code)
            # No description: the messages of databases quote the values.
            self._span.set_status(Status(StatusCode.ERROR))
        return error_type


def meter(telemetry: Telemetry) -> Meter:
    """Return the one meter of all database libraries.

    Prometheus tells series by their labels and not by the scope that made them: two libraries that reach one database
    would give it two values of one series at one time, which it refuses together with all that is sent along.
    """
    return telemetry.meter_provider.get_meter("mita_otel.libraries.databases", VERSION, SCHEMA_URL)


class Client:
    """Begins operations for one library."""

    __slots__ = ("conflicts", "durations", "faults", "slow", "slow_after", "timeouts", "tracer")

    def __init__(self, library: str, telemetry: Telemetry) -> None:
        scope = f"mita_otel.libraries.{library}"
        self.tracer: Tracer = telemetry.tracer_provider.get_tracer(scope, VERSION, SCHEMA_URL)
        self.durations: Handles[Series, BoundHistogram] = histograms(OPERATION_DURATION.create(meter(telemetry)))
        self.timeouts = timeouts.counter(telemetry.meter_provider)
        self.conflicts = Conflicts(meter(telemetry))
        self.faults = Faults(library)
        self.slow = self.faults.guard(SlowQueries(telemetry.settings, telemetry.meter_provider).capture)
        self.slow_after = telemetry.settings.slow_query_seconds

    def begin(
        self, call: Call, *, batch_size: int = 0, hush: bool = False, details: Callable[[], Attributes] | None = None
    ) -> Operation | None:
        """Start a span and make it current; None where instrumentation is suppressed or `quiet` is set.

        Args:
            call: what is fixed about the operation.
            batch_size: operations in the batch; fewer than two are no batch. Source: semantic conventions.
            hush: whether operations inside this one are the library's own.
            details: gives attributes that cost something; asked only for a span that records.
        """
        # As `is_silenced`, without the call.
        if quiet.get():
            return None
        context = get_current()
        if context.get(_SUPPRESS_INSTRUMENTATION_KEY) or context.get(_SUPPRESS_INSTRUMENTATION_KEY_PLAIN):
            return None
        if call.text is not None:
            request.count(call.text)
        span = self.tracer.start_span(call.span_name, context, SpanKind.CLIENT, call.attributes)
        token = None
        if span.is_recording():
            if batch_size > 1:
                span.set_attribute("db.operation.batch.size", batch_size)
            if details is not None:
                span.set_attributes(details())
            context = Context({**context, _SPAN_KEY: span})
            token = attach(context)
        hushed = quiet.set(True) if hush else None
        return Operation(self, call, span=span, context=context, token=token, hushed=hushed)


def is_silenced() -> bool:
    """Say whether no one is to be told of what happens now: instrumentation is suppressed, or `quiet` is set."""
    if quiet.get():
        return True
    context = get_current()
    return bool(context.get(_SUPPRESS_INSTRUMENTATION_KEY) or context.get(_SUPPRESS_INSTRUMENTATION_KEY_PLAIN))


def type_name(error: BaseException) -> str:
    """Return the value of `error.type`: the exception's qualified name, or the bare one of a built-in."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
