"""The facts, as plain values; whatever could not be found out is None and named in `Facts.unknown`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mita_otel.endpoint import OtlpEndpoint, Signal
from mita_otel.settings import Settings

Language: TypeAlias = Literal["http/1.1", "http/2", "tls", "unknown", "nothing"]
"""What a port was found to speak; `nothing` stands for a port that takes no connection."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement, of this distribution or of what it needs, that the installed packages do not meet.

    Attributes:
        package: who is required.
        specifier: which versions would do, such as `==1.45.1`.
        found: the version that is installed, or None.
        folder: where it was found.
        required_by: who requires it.
    """

    package: str
    specifier: str
    found: str | None
    folder: str
    required_by: str


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What a package offers to the launcher."""

    group: str
    name: str
    package: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Protobuf:
    """What encodes telemetry.

    Attributes:
        version: of protobuf as its code says it, or None where it cannot be imported.
        implementation: `upb`, `cpp` or `python`.
        grpc: version of grpcio, or None where it cannot be imported.
        problem: why OTLP messages cannot be made, or why grpcio cannot be imported.
    """

    version: str | None = None
    implementation: str = ""
    grpc: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What is installed.

    Attributes:
        pins: versions that this distribution was made with, by package.
        unmet: requirements that are not met.
        copies: versions of packages that are found more than once, in the order in which Python finds them.
        entry_points: of distributions, configurators, exporters, propagators and samplers.
        protobuf: what encodes telemetry.
    """

    pins: Mapping[str, str] = field(default_factory=dict)
    unmet: tuple[Unmet, ...] = ()
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entry_points: tuple[EntryPoint, ...] = ()
    protobuf: Protobuf | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A library that this distribution instruments itself.

    Attributes:
        name: as in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`.
        version: installed, or None.
        imported: whether the process has imported it.
        path: `ours`, `native` or `contrib`; empty unless it is instrumented.
        failure: why it could not be instrumented.
    """

    name: str
    version: str | None
    imported: bool = False
    path: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Instrumentor:
    """One of contrib's instrumentations that is installed.

    Attributes:
        name: of its library.
        active: whether it has instrumented the library.
        conflict: which version of the library it would need; empty if the installed one will do, or none is installed.
    """

    name: str
    active: bool = False
    conflict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The application that the doctor was shown.

    Attributes:
        name: as it was given, or its type.
        kind: `FastAPI`, or the type of what was given.
        by_hand: how it instruments itself, as the code would be searched for.
        native: what its native telemetry does, by name; None where FastAPI has none.
    """

    name: str
    kind: str
    by_hand: tuple[str, ...] = ()
    native: Mapping[str, bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that runs under the distribution: this one, or one that was started to be looked at.

    Attributes:
        ours: whether this distribution is what runs in it.
        failure: why it could not be looked at, or what went wrong while it started.
        providers: type of the provider of each signal.
        sampler: the sampler's own description.
        sampler_asked: whether it is asked about each span, for its decisions cannot be foreseen.
        spans: `ours` or `sdk`, by whose code spans are made; empty where another distribution runs.
        span_copies: types of the processors for which each of our spans is copied.
        slow_metrics: what keeps handles from adding to series by themselves.
        logs: how log records go to OTLP, `direct`, `sdk` or `none`; empty where another distribution runs.
        propagated: names of the headers that carry context.
        resource: attributes of the resource, masked.
        libraries: what we instrument ourselves.
        instrumentors: what contrib instruments.
        second_exporters: exporters that send what ours sends, by signal and type.
        log_handlers: types of handlers that export log records beside ours.
        agents: packages of other agents that are loaded.
        fastapi_native: whether the installed FastAPI has telemetry of its own; None where there is no FastAPI.
        application: the application, where one was given.
    """

    ours: bool
    failure: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    sampler: str = ""
    sampler_asked: bool = False
    spans: str = ""
    slow_metrics: tuple[str, ...] = ()
    span_copies: tuple[str, ...] = ()
    logs: str = ""
    propagated: tuple[str, ...] = ()
    resource: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[Library, ...] = ()
    instrumentors: tuple[Instrumentor, ...] = ()
    second_exporters: tuple[str, ...] = ()
    log_handlers: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    fastapi_native: bool | None = None
    application: Application | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver to a signal's endpoint.

    Attributes:
        signal: whose endpoint.
        endpoint: as the settings give it.
        variable: the variable that names the endpoint, or would.
        given: whether that variable is set.
        outcome: what the receiver made of it.
        reason: why it was not accepted, or what was said beside it.
        rejected: items that the receiver threw away.
        seconds: how long it took.
        speaks: what the port speaks; None where it was not asked because all went well.
        ahead: seconds by which the receiver's clock is ahead of ours; None where it did not tell the time.
    """

    signal: Signal
    endpoint: OtlpEndpoint
    variable: str
    given: bool
    outcome: Literal["accepted", "refused", "retry"]
    reason: str = ""
    rejected: int = 0
    seconds: float = 0.0
    speaks: Language | None = None
    ahead: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A search for the probe span.

    Attributes:
        where: `console` or `Jaeger`.
        url: whom was asked, without user and password.
        variable: the setting that names the URL.
        given: whether that setting is set.
        answers: whether an API answered there.
        found: whether it has the span.
        seconds: from delivery to the last answer.
        ahead: as in `Delivery`.
    """

    where: Literal["console", "Jaeger"]
    url: str
    variable: str
    given: bool
    answers: bool = False
    found: bool = False
    seconds: float = 0.0
    ahead: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What became of one signal's telemetry since the process began; in items.

    Attributes:
        signal: whose.
        capacity: most items the queue can hold; None where there is no queue.
        queued: waiting or on their way.
        accepted: acknowledged.
        lost: given up, by cause.
        retries: attempts that failed and were made again.
    """

    signal: Signal
    capacity: int | None
    queued: int
    accepted: int
    lost: Mapping[str, int]
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What only a running service knows.

    Attributes:
        queues: by signal.
        faults: swallowed faults of the instrumentation, by library.
        log_lines: lines that did not reach standard output or a file, by place and reason.
    """

    queues: tuple[Queue, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    log_lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the checks may look at.

    Attributes:
        variables: the environment's variables about telemetry; values are not masked.
        settings: what they ask for, with defaults where a value is not allowed.
        problems: values that are not allowed, by variable.
        known: names of variables that something installed reads.
        packages: what is installed.
        process: a process under the distribution.
        deliveries: attempts to deliver, one for each signal that goes out by OTLP.
        looks: searches for the probe span, empty where it was not delivered.
        live: what a running service knows.
        unknown: why something could not be found out, by what it was.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=lambda: Settings.read({}))
    problems: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    packages: Packages | None = None
    process: Process | None = None
    deliveries: tuple[Delivery, ...] = ()
    looks: tuple[Look, ...] = ()
    live: Live | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)
