"""What each variant sends for a request when nobody hurries it: the content beside the cost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.overhead.received import Span, Telemetry


@dataclass(frozen=True, slots=True)
class Shape:
    """Spans that are alike.

    Attributes:
        operation: what they are about.
        kind: the protocol's word.
        name: of the span.
        parent: the name of the span above, empty for a root or for one that did not arrive.
        number: of them a traced request.
        attributes: the names that any of them has.
    """

    operation: str
    kind: str
    name: str
    parent: str
    number: float
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What arrived for one kind of request.

    Attributes:
        spans: the most numerous first.
        logs: records a request.
        linked: of the log records those that name a trace, between 0 and 1.
        log_attributes: the names that any of them has.
    """

    spans: tuple[Shape, ...]
    logs: float
    linked: float
    log_attributes: tuple[str, ...]

    @property
    def spans_a_request(self) -> float:
        """Spans a traced request."""
        return sum(shape.number for shape in self.spans)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a process: its points in one export, at most, and the attributes that any of them has."""

    name: str
    points: int
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What one variant sends, by kind of request, and its metrics."""

    requests: dict[str, Content]
    metrics: tuple[Metric, ...]


def content(telemetry: Telemetry, requests: int) -> Content:
    """Return what arrived for so many requests of one kind; at least one must be traced for spans to be counted."""
    traced = len({span.trace for span in telemetry.spans if span.operation == "server"})
    as_spans = [span for span in telemetry.spans if span.operation == "log"]
    linked = sum(log.linked for log in telemetry.logs) + sum(bool(span.parent) for span in as_spans)
    records = telemetry.log_records()
    names = [log.attributes for log in telemetry.logs] + [span.attributes for span in as_spans]
    return Content(
        spans=_shapes([span for span in telemetry.spans if span.operation != "log"], traced),
        logs=records / requests,
        linked=linked / records if records else 0.0,
        log_attributes=tuple(sorted(frozenset().union(*names))),
    )


def metrics(telemetry: Telemetry) -> tuple[Metric, ...]:
    """Return the metrics that arrived, by name."""
    found: dict[str, Metric] = {}
    for points in telemetry.points:
        known = found.get(points.name, Metric(points.name, 0, ()))
        attributes = tuple(sorted(points.attributes.union(known.attributes)))
        found[points.name] = Metric(points.name, max(points.number, known.points), attributes)
    return tuple(found[name] for name in sorted(found))


def _shapes(spans: Sequence[Span], traced: int) -> tuple[Shape, ...]:
    if not traced:
        return ()
    names = {span.identity: span.name for span in spans}
    alike: Counter[tuple[str, str, str, str]] = Counter()
    attributes: dict[tuple[str, str, str, str], set[str]] = {}
    for span in spans:
        key = (span.operation, span.kind, span.name, names.get(span.parent, ""))
        alike[key] += 1
        attributes.setdefault(key, set()).update(span.attributes)
    return tuple(
        Shape(*key, number / traced, tuple(sorted(attributes[key]))) for key, number in _ordered(alike.items())
    )


def _ordered(items: Iterable[tuple[tuple[str, str, str, str], int]]) -> list[tuple[tuple[str, str, str, str], int]]:
    return sorted(items, key=lambda item: (-item[1], item[0]))
