"""The name that Prometheus gives a metric of OpenTelemetry, by its default translation."""

import re
from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal["counter", "up-down counter", "gauge", "histogram"]

_UNITS: Final[Mapping[str, str]] = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "1": "",
    "%": "percent",
}
_PER: Final[Mapping[str, str]] = {"s": "second", "min": "minute", "h": "hour", "d": "day"}


def prometheus_name(name: str, unit: str, kind: Kind) -> str:
    """Return the name of the metric family; a histogram's series add `_bucket`, `_sum` and `_count` to it.

    Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", strategy
    `UnderscoreEscapingWithSuffixes`, as Prometheus 3 applies it to OTLP.
    """
    words = [word for word in re.split("[^a-zA-Z0-9:]+", name) if word]
    words.extend(word for word in _unit_words(unit) if word not in words)
    if kind == "counter":
        words = [*(word for word in words if word != "total"), "total"]
    if kind == "gauge" and unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    joined = "_".join(words)
    return f"_{joined}" if joined[:1].isdigit() else joined


def prometheus_label(attribute: str) -> str:
    """Return the label that an attribute becomes."""
    return re.sub("[^a-zA-Z0-9_]", "_", attribute)


def _unit_words(unit: str) -> list[str]:
    main, _, per = unit.partition("/")
    words = ["" if "{" in main else _UNITS.get(main, main)]
    if per and "{" not in per:
        words.append(f"per_{_PER.get(per, per)}")
    return [clean for word in words if (clean := re.sub("[^a-zA-Z0-9:]+", "_", word).strip("_"))]
