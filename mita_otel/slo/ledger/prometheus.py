"""What Prometheus knows of who spent the budgets: of all replicas, over their restarts."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlencode
from urllib.request import urlopen

from mita_otel.metrics.catalogue.slo import EVENTS, SPENT
from mita_otel.slo.budget import Count
from mita_otel.slo.ledger.book import EXAMPLES, Contribution, Contributions, Trace, ranked
from mita_otel.slo.ledger.explanation import Account, beginning, chosen, explanation
from mita_otel.slo.series import CONTRIBUTED, SUMMED, SUMS, increase
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import HOUR

Fetch: TypeAlias = Callable[[str], Any]
"""Returns the JSON that a URL answers with."""

_TIMEOUT: Final = 60.0
"""Seconds for one answer: without recorded sums a month of a busy service is a hundred million samples."""
_SOON: Final = 4.0
"""Seconds for one answer where somebody waits, and there is another one to ask."""
_LARGEST: Final = 50_000_000
_A_HALF: Final = 0.5


class _Counter(NamedTuple):
    """A counter, the series that its five minutes are recorded in, and the labels that both are told by."""

    name: str
    recorded: str
    labels: tuple[str, ...]


_EVENTS: Final = _Counter(EVENTS.prometheus_name, SUMS, ("slo", "outcome"))
_SPENT: Final = _Counter(SPENT.prometheus_name, CONTRIBUTED, ("slo", "dimension", "contributor"))

Series: TypeAlias = tuple[str, str, str]
"""An objective's id, a dimension, a contributor."""


def fetch(url: str, timeout: float = _TIMEOUT) -> Any:
    """Return the JSON that a URL answers with, within so many seconds.

    Raises:
        ValueError: the URL is neither http nor https, or the answer is no JSON.
        OSError: nobody answers.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("its URL begins with http:// or https://")
    with urlopen(url, timeout=timeout) as answer:  # noqa: S310 - checked above
        return json.loads(answer.read(_LARGEST))


def at_once(url: str) -> Any:
    """Return the JSON that a URL answers with, within 4 s; as `fetch`."""
    return fetch(url, _SOON)


class Asked:
    """A Prometheus that is asked what spent a service's budgets.

    Args:
        url: of Prometheus.
        service: as `service.name` says.
        get: returns the JSON of a URL.
    """

    __slots__ = ("_get", "_service", "_url")

    def __init__(self, url: str, service: str, get: Fetch = fetch) -> None:
        self._url = url.rstrip("/")
        self._service = json.dumps(service)
        self._get = get

    def explained(
        self,
        slos: Sequence[Slo],
        now: float,
        *,
        name: str | None = None,
        window: str | None = None,
        traces: str | None = None,
    ) -> dict[str, Any]:
        """Return who spent the budgets, by what all replicas have told; as `own.explained`.

        Raises:
            LookupError: there is no objective of that name.
            ValueError: the window is none, or the answer cannot be.
            OSError: it does not answer.
        """
        asked = chosen(slos, name)
        begins = {slo.id: beginning(slo, window, now) for slo in asked}
        only = None if name is None else asked[0].id
        accounts = [
            account
            for begin in sorted(set(begins.values()))
            for account in self._accounts([slo for slo in asked if begins[slo.id] == begin], begin, now, only)
        ]
        return explanation(accounts, source="prometheus", scope="service", now=now, window=window, traces=traces)

    def _accounts(self, slos: Sequence[Slo], begin: float, now: float, only: str | None) -> Iterator[Account]:
        length = max(round(now - begin), SUMMED)
        mine = f"service_name={self._service}" + ("" if only is None else f", slo={json.dumps(only)}")
        events = self._counted(_EVENTS, mine, length, now)
        spent = self._counted(_SPENT, mine, length, now)
        slices = f'max by (slo) (count_over_time({SUMS}{{{mine}, outcome="good"}}[{length}s]))'
        watched = self._sums(slices, "slo")
        traces = self._traces(f"{SPENT.prometheus_name}{{{mine}}}", begin, now)
        for slo in slos:
            bad = events.get((slo.id, "bad"), 0.0)
            count = Count(events.get((slo.id, "good"), 0.0), bad)
            coverage = min(watched.get((slo.id,), 0.0) / max(length // SUMMED, 1), 1.0)
            yield Account(slo, begin, now, coverage, count, _contributions(slo.id, spent, traces))

    def _counted(self, counter: _Counter, mine: str, length: int, now: float) -> Mapping[tuple[str, ...], float]:
        """Return what was counted, by labels.

        Of a long time it is the sum of what was recorded, which are twenty samples of which a counter has 400, and what
        came since then.
        """
        until = self._recorded_until(f"{counter.recorded}{{{mine}}}") if length > HOUR else None
        since = length if until is None else max(round(now - until), 1)
        by, labels = ", ".join(counter.labels), counter.labels
        counted = dict(self._sums(f"sum by ({by}) {increase(f'{counter.name}{{{mine}}}', since)}", *labels))
        if until is not None:
            summed = f"sum by ({by}) (sum_over_time({counter.recorded}{{{mine}}}[{length}s]))"
            for key, value in self._sums(summed, *labels).items():
                counted[key] = counted.get(key, 0.0) + value
        return counted

    def _recorded_until(self, series: str) -> float | None:
        """Return when the last slice was recorded, in seconds since the epoch; None without a recent one."""
        steps = f"[{2 * SUMMED + 60}s:15s]"
        return self._sums(f"max(max_over_time(timestamp({series}){steps}))").get(())

    def _sums(self, expression: str, *labels: str) -> Mapping[tuple[str, ...], float]:
        answer = self._data("query", {"query": expression})
        try:
            found = {
                tuple(str(each["metric"][label]) for label in labels): float(each["value"][1])
                for each in answer["result"]
            }
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"its answer is of another shape: {error}") from error
        if not all(math.isfinite(value) and value >= 0 for value in found.values()):
            raise ValueError("it counted what cannot be counted")
        return found

    def _traces(self, selector: str, begin: float, now: float) -> Mapping[Series, tuple[Trace, ...]]:
        """Return the newest traces by series."""
        answer = self._data("query_exemplars", {"query": selector, "start": f"{begin:.3f}", "end": f"{now:.3f}"})
        found: dict[Series, dict[str, float]] = {}
        try:
            for each in answer:
                labels = each["seriesLabels"]
                series = str(labels["slo"]), str(labels["dimension"]), str(labels["contributor"])
                for exemplar in each["exemplars"]:
                    trace = str(exemplar["labels"].get("trace_id", ""))
                    if trace:
                        known = found.setdefault(series, {})
                        known[trace] = max(known.get(trace, 0.0), float(exemplar["timestamp"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"its exemplars are of another shape: {error}") from error
        return {series: _newest(of) for series, of in found.items()}

    def _data(self, what: str, parameters: Mapping[str, str]) -> Any:
        answer = self._get(f"{self._url}/api/v1/{what}?{urlencode(parameters)}")
        if not isinstance(answer, dict) or answer.get("status") != "success" or "data" not in answer:
            raise ValueError("it answered without a result")
        return answer["data"]


def _contributions(
    slo: str, spent: Mapping[tuple[str, ...], float], traces: Mapping[Series, tuple[Trace, ...]]
) -> Contributions:
    found: dict[str, list[Contribution]] = {}
    for (of, dimension, contributor), bad in spent.items():
        if of == slo and bad >= _A_HALF:
            examples = traces.get((of, dimension, contributor), ())
            found.setdefault(dimension, []).append(Contribution(contributor, bad, examples))
    return ranked(found)


def _newest(traces: Mapping[str, float]) -> tuple[Trace, ...]:
    ordered: Iterable[tuple[str, float]] = sorted(traces.items(), key=lambda each: -each[1])
    return tuple(Trace(id, at) for id, at in ordered)[:EXAMPLES]  # noqa: A001 - what it is called
