"""What is fixed about an instrument: its name, unit, attributes and buckets, and how it is made from them."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, Literal, NamedTuple, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from mita_otel.metrics.naming import Kind, prometheus_name

Callback: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]
Maker: TypeAlias = Literal["mita_otel", "OpenTelemetry SDK"]

OURS: Final = "mita_otel"
"""The source of an instrument that no convention knows."""

OPTIONAL: Final = frozenset({"error.type"})
"""Attributes that points have only where something failed. Source: semantic conventions, error attributes."""


class Attribute(NamedTuple):
    """An attribute of a metric, and why it can only have few values.

    Attributes:
        name: as OpenTelemetry spells it.
        values: every value there is, where the set is closed.
        bound: what keeps the values few, where it is open.
        at_most: number of values there can be; None where only the service that is measured knows.
    """

    name: str
    values: tuple[str | int, ...] = ()
    bound: str = ""
    at_most: int | None = None

    def allows(self, value: object) -> bool:
        """Return whether the attribute may have a value."""
        return not self.values or value in self.values


def closed(name: str, *values: str | int) -> Attribute:
    """Return an attribute with a closed set of values."""
    return Attribute(name, values=values, at_most=len(values))


def bounded(name: str, bound: str, at_most: int | None = None) -> Attribute:
    """Return an attribute whose values are few because of `bound`."""
    return Attribute(name, bound=bound, at_most=at_most)


class Instrument:
    """One instrument; the subclass says what it measures with.

    Attributes:
        name: as OpenTelemetry spells it.
        unit: in UCUM's case-sensitive form; a gauge never has `1`, seconds are `s`, counts `{thing}`, money `{USD}`.
        description: one sentence.
        source: the page of the semantic conventions that defines it, or `OURS`.
        attributes: every attribute that a point may carry, the series of an overflow excepted.
        made_by: whose code creates it.
    """

    __slots__ = ("attributes", "description", "made_by", "name", "source", "unit")
    kind: ClassVar[Kind]

    def __init__(
        self,
        *,
        name: str,
        unit: str,
        description: str,
        source: str,
        attributes: tuple[Attribute, ...] = (),
        made_by: Maker = "mita_otel",
    ) -> None:
        self.name: Final = name
        self.unit: Final = unit
        self.description: Final = description
        self.source: Final = source
        self.attributes: Final = attributes
        self.made_by: Final = made_by

    def __repr__(self) -> str:
        """Show what tells it from others."""
        return f"{type(self).__name__}({self.name!r})"

    @property
    def attribute_names(self) -> frozenset[str]:
        """The names of its attributes."""
        return frozenset(attribute.name for attribute in self.attributes)

    @property
    def prometheus_name(self) -> str:
        """The name of its family in Prometheus."""
        return prometheus_name(self.name, self.unit, self.kind)

    @property
    def series_at_most(self) -> int | None:
        """Series that one process can have; None where only the limit of series an instrument says so."""
        series = 1
        for attribute in self.attributes:
            if attribute.at_most is None:
                return None
            series *= attribute.at_most + (attribute.name in OPTIONAL)
        return series

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute of a name, if it has one."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


class Counter(Instrument):
    """A sum that only grows."""

    __slots__ = ()
    kind = "counter"

    def create(self, meter: Meter) -> metrics.Counter:
        """Make the instrument."""
        return meter.create_counter(self.name, self.unit, self.description)

    def observe(self, meter: Meter, *callbacks: Callback) -> None:
        """Make the instrument, read by `callbacks` at each collection."""
        meter.create_observable_counter(self.name, callbacks, self.unit, self.description)


class UpDownCounter(Instrument):
    """A sum that grows and shrinks, and may be added up over processes."""

    __slots__ = ()
    kind = "up-down counter"

    def observe(self, meter: Meter, *callbacks: Callback) -> None:
        """Make the instrument, read by `callbacks` at each collection."""
        meter.create_observable_up_down_counter(self.name, callbacks, self.unit, self.description)


class Gauge(Instrument):
    """A value of the moment that makes no sense added up."""

    __slots__ = ()
    kind = "gauge"

    def observe(self, meter: Meter, *callbacks: Callback) -> None:
        """Make the instrument, read by `callbacks` at each collection."""
        meter.create_observable_gauge(self.name, callbacks, self.unit, self.description)


class Histogram(Instrument):
    """A distribution.

    Attributes:
        buckets: upper bounds in the instrument's unit, ascending; one more bucket holds what is above.
    """

    __slots__ = ("buckets",)
    kind = "histogram"

    def __init__(
        self,
        *,
        name: str,
        unit: str,
        description: str,
        source: str,
        buckets: tuple[float, ...],
        attributes: tuple[Attribute, ...] = (),
        made_by: Maker = "mita_otel",
    ) -> None:
        super().__init__(
            name=name, unit=unit, description=description, source=source, attributes=attributes, made_by=made_by
        )
        self.buckets: Final = buckets

    def create(self, meter: Meter) -> metrics.Histogram:
        """Make the instrument."""
        return meter.create_histogram(
            self.name, self.unit, self.description, explicit_bucket_boundaries_advisory=self.buckets
        )
