"""What silences what: while a cause is told, its symptoms are not.

A symptom is never graver than its cause: no ticket silences a page. Nothing silences what tells of attacks or of the
alerting itself, and of the audit log only what the database, being down, does to it as well.
"""

from dataclasses import dataclass
from typing import Final

OF_ONE_SERVICE: Final = ("service_name", "deployment_environment_name")
"""Labels in which cause and symptom agree; a label that both lack is one that they agree in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """A cause that silences its symptoms while it lasts.

    Attributes:
        name: what people call it.
        cause: alerts that say why.
        symptoms: alerts that need no saying then.
        equal: labels in which both agree.
        only: further matchers of the cause.
        among: further matchers of the symptoms.
    """

    name: str
    cause: tuple[str, ...]
    symptoms: tuple[str, ...]
    equal: tuple[str, ...] = OF_ONE_SERVICE
    only: tuple[str, ...] = ()
    among: tuple[str, ...] = ()


_BUDGET: Final = (
    *("MitaErrorBudgetBurnFast", "MitaErrorBudgetBurnSlow", "MitaErrorBudgetExhausted"),
    *("MitaErrorBudgetExhaustionPredicted", "MitaSloViolated"),
)
_FAILING: Final = (
    *("MitaHighErrorRate", "MitaErrorLogBurst", "MitaErrorThreshold", "MitaServiceUnhealthy", "MitaDataStale"),
    *("MitaHighLatency", "MitaTimeouts", "MitaCircuitBreakerOpen", "MitaOcrProcessingFailures", *_BUDGET),
)
"""What a service does that lacks something it cannot do without."""

_DATABASE: Final = (
    *("MitaSlowDatabaseQueries", "MitaDatabaseErrorsLogged"),
    *("MitaDatabasePoolSaturated", "MitaDatabasePoolExhaustionPredicted"),
)
_SILENT: Final = ("MitaServiceDown", "MitaReplicaMissing", "MitaSloTelemetryAbsent", "MitaDataStale")
"""What is also said of a service that is well, where nothing is heard of it."""

_OF_STACK: Final = (
    Inhibition(
        name="telemetry does not arrive",
        cause=("MitaStackComponentDown",),
        only=('job=~"otelcol|prometheus"',),
        symptoms=(*_SILENT, "MitaTelemetryAbsent", "MitaTelemetryRefused"),
        equal=(),
    ),
    Inhibition(
        name="nothing is heard of any service",
        cause=("MitaTelemetryAbsent",),
        symptoms=_SILENT,
        equal=("deployment_environment_name",),
    ),
    *(
        Inhibition(
            name=f"{backend} is down",
            cause=("MitaStackComponentDown",),
            only=(f'job="{backend}"',),
            symptoms=("MitaTelemetryQueueGrowing",),
            among=(f'exporter=~".*{backend}"',),
            equal=(),
        )
        for backend in ("jaeger", "prometheus", "loki")
    ),
)

INHIBITIONS: Final = (
    Inhibition(
        name="the service is down",
        cause=("MitaServiceDown",),
        symptoms=(*_FAILING, *_DATABASE, "MitaReplicaMissing", "MitaSloTelemetryAbsent", "MitaEventLoopBlocked"),
    ),
    Inhibition(name="the database is down", cause=("MitaDatabaseDown",), symptoms=(*_FAILING, *_DATABASE)),
    Inhibition(
        name="the database is down, and with it the audit log's",
        cause=("MitaDatabaseDown",),
        symptoms=("MitaAuditFailure",),
        among=('audit_failure="database"',),
    ),
    Inhibition(
        name="the cache is down",
        cause=("MitaCacheDown",),
        symptoms=("MitaHighLatency", "MitaTimeouts"),
    ),
    Inhibition(
        name="requests fail", cause=("MitaHighErrorRate",), symptoms=("MitaErrorLogBurst", "MitaErrorThreshold")
    ),
    Inhibition(
        name="the budget burns",
        cause=("MitaErrorBudgetBurnFast",),
        symptoms=("MitaErrorBudgetBurnSlow", "MitaErrorBudgetExhaustionPredicted", "MitaSloViolated"),
        equal=(*OF_ONE_SERVICE, "slo"),
    ),
    Inhibition(
        name="the budget is spent",
        cause=("MitaErrorBudgetExhausted",),
        symptoms=("MitaErrorBudgetExhaustionPredicted", "MitaSloViolated"),
        equal=(*OF_ONE_SERVICE, "slo"),
    ),
    Inhibition(
        name="connections are used up",
        cause=("MitaDatabasePoolSaturated",),
        symptoms=("MitaDatabasePoolExhaustionPredicted",),
        equal=(*OF_ONE_SERVICE, "instance"),
    ),
    Inhibition(
        name="the disk is full",
        cause=("MitaDiskSpaceLow",),
        symptoms=("MitaDiskFullPredicted",),
        equal=(*OF_ONE_SERVICE, "host_name"),
    ),
    *_OF_STACK,
)
