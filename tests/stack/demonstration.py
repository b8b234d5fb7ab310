"""The demonstration, shown once to all tests that want to see what it leaves in the backends."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx

from mita_otel import demo
from mita_otel.metrics.catalogue import business, instruments_of
from mita_otel.metrics.derived import DERIVED
from mita_otel.slo import series
from mita_otel.stack import NativeStack
from mita_otel.stack.model import silent
from tests.fixtures.polling import eventually
from tests.fixtures.service import ROOT
from tests.stack.hurried import USUALLY, hurry

NAME: Final = f"mita-finance-{uuid4().hex[:8]}"
"""Its own: one process of a service tells of the host that it is on, and other tests have some of that name."""

_UNLUCKY: Final = 8
"""Purchases while the store answers with errors: enough for its breaker to open."""

_SILENT: Final = {"mita_database_connection_timeouts_total"}
"""What nothing is derived of while all is well."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A demonstration that is over.

    Attributes:
        stack: where its telemetry is.
        until: when it ended, in seconds since the epoch.
        families: of metrics that begin with ours.
    """

    stack: NativeStack
    until: float
    families: frozenset[str]


def show(stack: NativeStack, folder: Path) -> Shown:
    """Run the demonstration until its user has done everything twice and all of that has arrived."""
    stack.up(standard=False)
    hurry(stack, *USUALLY, "rules/slo.yml")
    try:
        ports = demo.Ports.chosen()
        backends = demo.StackBackends(stack.endpoints)
        with demo.running(folder, ROOT, ports, silent, backends=backends, name=NAME) as started:
            traffic = demo.Traffic(started.url)
            traffic.sign_up()
            traffic.tour()
            _wait_for(stack, {instrument.prometheus_name for instrument in instruments_of(business)})
            _wait_for(stack, {row.name for row in DERIVED} - _SILENT)
            _wait_for(stack, {series.REMAINING, series.SLI, series.BURN_RATE, series.INDICATOR})
            # Only what grows has a rate, and only what is slow is told to be.
            _behave(ports, latency=1.2)
            traffic.sign_up()
            traffic.tour()
            _behave(ports, error_rate=1.0)
            for _ in range(_UNLUCKY):
                traffic._buy()
            _wait_for_values(stack)
            return Shown(stack, time.time(), frozenset(families(stack)))
    finally:
        hurry(stack, *USUALLY)


def _wait_for(stack: NativeStack, wanted: set[str]) -> None:
    def all_there() -> bool:
        missing = wanted - names(stack)
        assert not missing, missing
        return True

    eventually(all_there, timeout=120, interval=0.5)


def _behave(ports: demo.Ports, **behaviour: float) -> None:
    url = f"http://127.0.0.1:{ports.external}/behaviour"
    httpx.put(url, json=behaviour, timeout=30, trust_env=False).raise_for_status()


def _wait_for_values(stack: NativeStack) -> None:
    """Wait until the newest that happened is there: told, derived, and scraped."""
    ours = f'service_name="{NAME}"'
    newest = (
        f'increase(http_server_request_duration_seconds_count{{{ours}, http_response_status_code="503"}}[5m]) > 0',
        f'increase(mita_circuit_breaker_transitions_total{{{ours}, to="open"}}[5m]) > 0',
        f'increase(mita_slo_spent_total{{{ours}, dimension="dependency"}}[5m]) > 0',
        f'increase(mita_http_requests_total{{{ours}, status=~"2.."}}[5m]) > 0',
        f"rate(mita_external_requests_total{{{ours}}}[5m])",
        "rate(otelcol_receiver_accepted_spans_total[5m]) > 0",
        *(f'up{{job="{name}"}} == 1' for name in ("otelcol", "jaeger", "loki", "prometheus", "alertmanager")),
    )
    for expression in newest:
        eventually(lambda: _asked(stack, expression), timeout=60, interval=0.5)  # noqa: B023 - before the next turn


def _asked(stack: NativeStack, expression: str) -> list[object]:
    url = f"{stack.endpoints.prometheus}/api/v1/query"
    found: list[object] = httpx.get(url, params={"query": expression}, timeout=30, trust_env=False).json()["data"][
        "result"
    ]
    return found


def names(stack: NativeStack) -> set[str]:
    """Return the names of all series of the demonstration; a histogram's three are its own name, too."""
    asked = {"match[]": f'{{service_name="{NAME}"}}'}
    url = f"{stack.endpoints.prometheus}/api/v1/label/__name__/values"
    found: list[str] = httpx.get(url, params=asked, timeout=30, trust_env=False).json()["data"]
    return {*found, *(name.removesuffix("_bucket") for name in found if name.endswith("_bucket"))}


def families(stack: NativeStack) -> set[str]:
    """Return the names that begin with ours; a histogram's three series are one family.

    Those with a colon are the rules' of the objectives, which their own tests hold.
    """
    found = names(stack)
    histograms = {name.removesuffix("_bucket") for name in found if name.endswith("_bucket")}
    parts = {f"{histogram}{part}" for histogram in histograms for part in ("_bucket", "_count", "_sum")}
    return {name for name in found - parts if name.startswith("mita_") and ":" not in name}
