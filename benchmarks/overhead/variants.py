"""Who is compared, and how each is started: as its documentation says, delivering to the sink."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

SHARE: Final = 0.1
"""Of the requests whose trace the sampled variants keep."""
SAMPLED: Final = "-10"
"""End of their names."""

BARE: Final = "bare"
VANILLA: Final = "vanilla"
OURS: Final = "ours"

_OTEL: Final[Mapping[str, str]] = {
    "OTEL_SERVICE_NAME": "overhead",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{sink}",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    # The same for all, so that a wait for the end of delivery is as long for all; full batches go at once anyway.
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
    "OTEL_METRIC_EXPORT_INTERVAL": "15000",
}
_SAMPLER: Final = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": str(SHARE)}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the service.

    Attributes:
        name: in reports and on the command line.
        distribution: names the requirements, and so the environment; sampled variants share it.
        launcher: the words before the server's; the first is a program of the environment.
        application: what the server loads.
        variables: its environment; `{sink}` stands for the sink's URL.
        share: of the requests whose trace it keeps, between 0 and 1.
        delivers: whether it sends anything at all.
        own_launcher: another launcher, which it brings itself; a start with it is measured besides.
    """

    name: str
    distribution: str
    launcher: tuple[str, ...] = ()
    application: str = "service:app"
    variables: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    delivers: bool = True
    own_launcher: str = ""

    def environment(self, sink: str) -> dict[str, str]:
        """Return its variables for a sink's URL."""
        return {name: value.replace("{sink}", sink) for name, value in self.variables.items()}

    def sampled(self, variables: Mapping[str, str]) -> "Variant":
        """Return the same distribution keeping the traces of one request in ten."""
        variables = {**self.variables, **variables}
        return replace(self, name=self.name + SAMPLED, share=SHARE, variables=variables, own_launcher="")


_LAUNCHER: Final = ("opentelemetry-instrument",)
_BARE: Final = Variant(BARE, BARE, delivers=False)
_VANILLA: Final = Variant(VANILLA, VANILLA, _LAUNCHER, variables=_OTEL)
_ELASTIC: Final = Variant("elastic", "elastic", _LAUNCHER, variables=_OTEL)
_SPLUNK: Final = Variant("splunk", "splunk", _LAUNCHER, variables=_OTEL)
_LOGFIRE: Final = Variant("logfire", "logfire", application="logfire_service:app", variables=_OTEL)
_DDTRACE: Final = Variant(
    "ddtrace",
    "ddtrace",
    ("ddtrace-run",),
    variables={"DD_SERVICE": "overhead", "DD_TRACE_AGENT_URL": "{sink}"},
)
_OURS: Final = Variant(OURS, OURS, _LAUNCHER, variables={**_OTEL, "MITA_STRICT": "1"}, own_launcher="mita-instrument")

VARIANTS: Final[Mapping[str, Variant]] = {
    variant.name: variant
    for variant in (
        # Within minutes of each other: what a host does meanwhile comes and goes, and is in the ratios of the others.
        _BARE,
        _VANILLA,
        _OURS,
        _OURS.sampled(_SAMPLER),
        _VANILLA.sampled(_SAMPLER),
        _ELASTIC,
        # Its own sampler, which it puts in the place of the standard one, reads the same argument.
        _ELASTIC.sampled({"OTEL_TRACES_SAMPLER_ARG": str(SHARE)}),
        _SPLUNK,
        _SPLUNK.sampled(_SAMPLER),
        _LOGFIRE,
        _LOGFIRE.sampled({"LOGFIRE_SHARE": str(SHARE)}),
        _DDTRACE,
        _DDTRACE.sampled({"DD_TRACE_SAMPLING_RULES": f'[{{"sample_rate": {SHARE}}}]'}),
    )
}

QUICK: Final = (BARE, VANILLA, OURS)


@dataclass(frozen=True, slots=True)
class Due:
    """What telemetry owes for each request of a kind: at least so many spans of each operation, and so on.

    Attributes:
        path: of the request.
        spans: by operation.
        logs: log records.
        calls: measurements of calls to neighbours over HTTP; one of the request itself is always due.
    """

    path: str
    spans: Mapping[str, int]
    logs: int = 0
    calls: int = 0

    @property
    def is_alone(self) -> bool:
        """Whether the service answers it by itself, so that nobody but the load needs the other core."""
        return self.spans.keys() == {"server"}


REQUESTS: Final[Mapping[str, Due]] = {
    "mixed": Due("/mixed", {"server": 1, "sql": 1, "redis": 1, "http": 1}, logs=2, calls=1),
    "db": Due("/db", {"server": 1, "sql": 3}),
    "ping": Due("/ping", {"server": 1}),
}
