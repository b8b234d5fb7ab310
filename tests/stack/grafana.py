"""Grafana's part: what it fills into a query, and whom it asks. Each rule is named with where Grafana has it."""

import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from mita_otel.stack.model import Endpoints

STEP: Final = 15
"""Seconds between two points of a course at least: what the panels and the data source say."""
_POINTS: Final = 500
"""Points of a course at most: the pixels of a panel of half a screen."""
_LINES: Final = 200

Chosen = Mapping[str, str | list[str]]
"""Values by variable: a list where some are chosen, a text where it is all of them, as the variable says it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The chosen time: its end, and its length, in seconds."""

    end: float
    length: float

    @property
    def step(self) -> int:
        return max(STEP, math.ceil(self.length / _POINTS / STEP) * STEP)

    @property
    def start(self) -> float:
        """A whole number of steps before the end, so that the end is among the points."""
        return self.end - int(self.length / self.step) * self.step


def filled_in(expression: str, chosen: Chosen, moment: Moment) -> str:
    """Return a query as Grafana sends it."""
    built_in = {
        # packages/grafana-prometheus/src/datasource.ts, getRateIntervalScopedVariable.
        "__rate_interval": f"{max(moment.step + STEP, 4 * STEP)}s",
        "__interval_ms": str(moment.step * 1000),
        "__interval": f"{moment.step}s",
        "__range_s": str(int(moment.length)),
        "__range": f"{int(moment.length)}s",
        "__auto": f"{moment.step}s",
    }

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name.isdigit():  # a group of label_replace: what is no variable stays
            return found[0]
        return built_in[name] if name in built_in else _interpolated(chosen[name])

    return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, expression)


def _interpolated(value: str | list[str]) -> str:
    """As prometheusSpecialRegexEscape in packages/grafana-prometheus/src/escaping.ts; what stands for all stays."""
    if isinstance(value, str):
        return value
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", one.replace("\\", "\\\\\\\\")) for one in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        seconds: until it was there.
        error: why there is none.
        values: samples that are numbers, or lines: what one can see.
        largest: of the samples.
    """

    seconds: float
    error: str = ""
    values: int = 0
    largest: float = 0.0


class Grafana:
    """Asks the backends of a stack as Grafana would."""

    def __init__(self, endpoints: Endpoints, client: httpx.Client) -> None:
        self._urls = {"prometheus": endpoints.prometheus, "loki": f"{endpoints.loki}/loki"}
        self._client = client

    def ask(self, target: Mapping[str, Any], chosen: Chosen, moment: Moment) -> Answer:
        """Ask a panel's query."""
        kind = target["datasource"]["type"]
        query = filled_in(target["expr"], chosen, moment)
        at_once = target.get("instant") or target.get("queryType") == "instant"
        asked: dict[str, Any] = {"query": query, "time": moment.end}
        if not at_once:
            times = {"start": moment.start, "end": moment.end, "step": moment.step}
            asked = {"query": query, **times, **({"limit": _LINES} if kind == "loki" else {})}
        if kind == "loki":
            asked |= {name: int(asked[name] * 1e9) for name in ("start", "end", "time") if name in asked}
        began = time.perf_counter()
        answer = self._client.get(f"{self._urls[kind]}/api/v1/query{'' if at_once else '_range'}", params=asked)
        seconds = time.perf_counter() - began
        if answer.is_error:
            return Answer(seconds, f"{answer.status_code} {answer.text.strip()[:300]} to {query}")
        seen = [value for result in answer.json()["data"]["result"] for value in _values(result)]
        return Answer(seconds, values=len(seen), largest=max(seen, default=0.0))

    def values_of(self, variable: Mapping[str, Any], chosen: Chosen, moment: Moment) -> list[str]:
        """Return what can be chosen, as `label_values(series, label)` asks for it."""
        query = filled_in(variable["query"]["query"], chosen, moment)
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert found, query
        answer = self._client.get(
            f"{self._urls['prometheus']}/api/v1/label/{found[2]}/values",
            params={"match[]": found[1], "start": moment.start, "end": moment.end},
        )
        values: list[str] = answer.raise_for_status().json()["data"]
        return values


def _values(result: Mapping[str, Any]) -> Iterator[float]:
    """Return what one can see of a result: Prometheus has samples that are no number, and a line is one."""
    for _, value in result["values"] if "values" in result else [result["value"]]:
        if "metric" not in result:
            yield 1.0
        elif math.isfinite(float(value)):
            yield float(value)
