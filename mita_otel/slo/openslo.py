"""OpenSLO v1, as much of it as is read: its shape as types, from which the JSON Schema beside the files is made.

Source: https://github.com/OpenSLO/OpenSLO/tree/main/specification/v1
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mita_otel.slo.documents import Document, SpecificationError

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Text = Annotated[str, Field(min_length=1, max_length=1050)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Metadata(_Part):
    """What a thing is called."""

    name: Name
    displayName: Text | None = None  # noqa: N815 - OpenSLO's spelling, here and below
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)


class Labels(_Part):
    """What every objective must say of itself."""

    tier: Literal["1", "2", "3"]
    owner: Name
    type: Literal["availability", "latency", "correctness", "accuracy", "freshness", "delivery"]


class SloMetadata(_Part):
    """What an objective is called, and whose it is."""

    name: Name
    displayName: Text | None = None  # noqa: N815
    labels: Labels
    annotations: Mapping[str, str] = Field(default_factory=dict)


class Requests(_Part):
    """All requests of some routes."""

    routes: list[str] = Field(min_length=1)
    exceptRoutes: list[str] = Field(default_factory=list)  # noqa: N815


class Answered(_Part):
    """Requests whose answer has a status below this one."""

    statusBelow: Literal[500]  # noqa: N815


class Within(_Part):
    """Requests that were answered in time, which a histogram shows the distribution of."""

    within: str
    metric: str


class Events(_Part):
    """Events that the service tells of, all or the good ones."""

    events: list[Name] = Field(min_length=1)
    outcome: Literal["good"] | None = None


class RequestSource(_Part):
    """Requests, counted as they end."""

    type: Literal["MitaRequests"]
    spec: Requests


class GoodRequestSource(_Part):
    """Good ones among them."""

    type: Literal["MitaRequests"]
    spec: Answered | Within


class EventSource(_Part):
    """Events, counted as they are told."""

    type: Literal["MitaEvents"]
    spec: Events


class Rate(_Part):
    """How often something happens a second."""

    metric: str
    over: str
    reference: float = Field(gt=0)


class RateSource(_Part):
    """A rate of a metric."""

    type: Literal["MitaRate"]
    spec: Rate


class Total(_Part):
    """All events."""

    metricSource: Annotated[RequestSource | EventSource, Field(discriminator="type")]  # noqa: N815


class Good(_Part):
    """Good events."""

    metricSource: Annotated[GoodRequestSource | EventSource, Field(discriminator="type")]  # noqa: N815


class Ratio(_Part):
    """Good events of all events."""

    counter: Literal[True]
    good: Good
    total: Total


class RatioSpec(_Part):
    """An indicator that is a ratio."""

    ratioMetric: Ratio  # noqa: N815


class Indicator(_Part):
    """What is measured."""

    metadata: Metadata
    spec: RatioSpec


class CalendarStart(_Part):
    """When and where a calendar's periods begin."""

    startTime: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}( 00:00:00)?$")  # noqa: N815
    timeZone: str  # noqa: N815


class TimeWindow(_Part):
    """The time that a budget is for."""

    duration: str
    isRolling: bool  # noqa: N815
    calendar: CalendarStart | None = None


class Objective(_Part):
    """How much of it has to be good."""

    displayName: Text | None = None  # noqa: N815
    target: float


class SloSpec(_Part):
    """What is promised."""

    description: Text
    service: Name
    indicator: Indicator
    timeWindow: list[TimeWindow] = Field(min_length=1, max_length=1)  # noqa: N815
    budgetingMethod: Literal["Occurrences"]  # noqa: N815
    objectives: list[Objective] = Field(min_length=1, max_length=1)


class SLO(_Part):
    """A promise."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: SloMetadata
    spec: SloSpec


class ServiceSpec(_Part):
    """What a service is."""

    description: Text


class Service(_Part):
    """A part of the service that users would name."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec


class Threshold(_Part):
    """One value that is looked at."""

    metricSource: RateSource  # noqa: N815


class ThresholdSpec(_Part):
    """What is measured."""

    description: Text
    thresholdMetric: Threshold  # noqa: N815


class SLI(_Part):
    """What is looked at and has no budget."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLI"]
    metadata: Metadata
    spec: ThresholdSpec


class Burn(_Part):
    """That so much of a budget is spent: a burn rate over the whole of its period is the share of it that is gone."""

    kind: Literal["burnrate"]
    op: Literal["gte"]
    threshold: float = Field(ge=0)
    lookbackWindow: str  # noqa: N815
    alertAfter: str | None = None  # noqa: N815


class ConditionSpec(_Part):
    """When it is so."""

    description: Text | None = None
    severity: Literal["healthy", "warning", "critical", "exhausted"]
    condition: Burn


class AlertCondition(_Part):
    """When something is so, and how bad that is."""

    kind: Literal["AlertCondition"]
    metadata: Metadata
    spec: ConditionSpec


class PolicySpec(_Part):
    """What there is to be done about it."""

    description: Text
    alertWhenNoData: Literal[False] = False  # noqa: N815
    alertWhenResolved: bool = False  # noqa: N815
    alertWhenBreaching: bool = True  # noqa: N815
    conditions: list[AlertCondition] = Field(min_length=1, max_length=1)
    notificationTargets: list[str] = Field(default_factory=list, max_length=0)  # noqa: N815


class Actions(_Part):
    """What there is to be done, in one word and in a line for each step."""

    action: str = Field(alias="mita/action", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    actions: Text = Field(alias="mita/actions")


class PolicyMetadata(_Part):
    """What a stage of the error budget's policy is called, and what it asks for."""

    name: Name
    displayName: Text | None = None  # noqa: N815
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Actions


class AlertPolicy(_Part):
    """A stage of the error budget's policy."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec


Known: TypeAlias = Service | SLO | SLI | AlertPolicy
"""What a document may describe."""

Thing = Annotated[Known, Field(discriminator="kind")]

_ADAPTER: Final[TypeAdapter[Known]] = TypeAdapter(Thing)


def parsed(document: Document) -> Known:
    """Return what a document describes.

    Raises:
        SpecificationError: it is not of the shape that is read; all mistakes are told at once.
    """
    try:
        return _ADAPTER.validate_python(document.value)
    except ValidationError as error:
        raise SpecificationError([_told(document, problem) for problem in error.errors(include_url=False)]) from error


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OpenSLO v1, as much of it as mita_otel reads",
        **_ADAPTER.json_schema(),
    }


def _told(document: Document, problem: Any) -> str:
    # pydantic names the member of a union as if it were a key.
    place = tuple(part for part in problem["loc"] if part not in _MEMBERS)
    message: str = problem["msg"]
    return document.problem(place, message[0].lower() + message[1:])


_MEMBERS: Final = {"Service", "SLO", "SLI", "AlertPolicy", "MitaRequests", "MitaEvents", "Answered", "Within"}
