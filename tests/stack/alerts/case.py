"""A case of an alert: what was measured, when it has to be told, in which words, and when not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mita_otel.alerts import Alert, Places, links

_WITH = re.compile(r"\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ end \}\}")
_DOT = re.compile(r"\{\{ \. \| urlquery \}\}")
_LABEL = re.compile(r"\{\{ \$labels\.(\w+)(?: \| urlquery)? \}\}")
_QUERY = re.compile(r"\{\{ range query .*\{\{ end \}\}")
_VALUE = re.compile(r'\{\{ \$value(?: \| (\w+)(?: "%[.]\df")?)? \}\}')


@dataclass(frozen=True, kw_only=True)
class Told:
    """An alert that fires.

    Attributes:
        labels: those of its series.
        value: what its value is said to be, by the function that says it.
    """

    labels: Mapping[str, str]
    value: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was measured, and what is told of it.

    Attributes:
        alert: whose case it is.
        shows: what it shows.
        series: samples by series, as promtool writes them.
        quiet: moments at which the alert must not fire.
        told: what must fire, all of it, by moment.
        step: between two samples.
        every: between two evaluations; as long as a step, unless it is given.
        is_recorded: whether the series are those that recording rules make, which are not evaluated then.
    """

    alert: str
    shows: str
    series: Mapping[str, str]
    quiet: tuple[str, ...] = ()
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)
    step: str = "15s"
    every: str = ""
    is_recorded: bool = False

    def written(self, alert: Alert) -> dict[str, Any]:
        """Return the case as promtool reads it."""
        moments = {**dict.fromkeys(self.quiet, ()), **self.told}
        return {
            "name": f"{self.alert}: {self.shows}",
            "interval": self.step,
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "alert_rule_test": [
                {
                    "alertname": self.alert,
                    "eval_time": moment,
                    "exp_alerts": [_expected(alert, each) for each in told],
                }
                for moment, told in moments.items()
            ],
        }


def _expected(alert: Alert, told: Told) -> dict[str, Any]:
    tier = {} if alert.tier is None else {"tier": str(alert.tier)}
    texts = {"summary": alert.summary, "description": alert.description, **links(alert, Places())}
    return {
        "exp_labels": {**told.labels, **tier, "severity": alert.severity, "category": alert.category},
        "exp_annotations": {name: _said(text, told) for name, text in texts.items()},
    }


def _said(text: str, told: Told) -> str:
    """Return what a template says, as far as the table's templates go and labels need no quoting in a URL."""
    labels = told.labels
    text = _QUERY.sub(lambda _: told.value["query"], text)
    text = _WITH.sub(lambda found: _DOT.sub(labels[found[1]], found[2]) if labels.get(found[1]) else "", text)
    text = _LABEL.sub(lambda found: labels.get(found[1], ""), text)
    return _VALUE.sub(lambda found: told.value[found[1] or "plain"], text)


def counted(*phases: tuple[int, float] | int, start: float = 0) -> str:
    """Return a counter's samples.

    Args:
        phases: for so many steps, so much more a step; a number alone: nothing is heard for so many steps.
        start: what it begins with.
    """
    parts, now = [], start
    for phase in phases:
        if isinstance(phase, int):
            parts.append(f"_x{phase}")
            continue
        steps, more = phase
        parts.append(f"{now:.12g}{more:+.12g}x{steps - 1}" if steps > 1 else f"{now:.12g}")
        now += more * steps
    return " ".join(parts)


def held(*phases: tuple[int, float] | int) -> str:
    """Return a gauge's samples: for so many steps, so much."""
    return " ".join(_flat(phases))


def _flat(phases: Iterable[tuple[int, float] | int]) -> Iterable[str]:
    for phase in phases:
        yield f"_x{phase}" if isinstance(phase, int) else f"{phase[1]:g}+0x{phase[0] - 1}"


def alive(steps: int, of: str = "shop", instance: str = "a", **labels: str) -> Mapping[str, str]:
    """Return a process that tells how long it has lived."""
    return {f"process_uptime_seconds{{{named(of, instance, **labels)}}}": counted((steps, 15))}


def named(of: str = "shop", instance: str = "a", **labels: str) -> str:
    """Return the matchers that a process's series bear."""
    bears = {"job": of, "instance": instance, "service_name": of, **labels}
    return ", ".join(f'{name}="{value}"' for name, value in bears.items())
