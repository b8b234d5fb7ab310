"""What the runbooks tell people to ask and to silence, put to the real Prometheus, Loki and Alertmanager."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.polling import eventually
from tests.fixtures.runbooks import FOREIGN, PAGES, WRITTEN
from tests.stack.otlp import Backends, gauge_request

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

_PROMETHEUSS = {"up", "ALERTS"}
"""Series that Prometheus makes, and nobody tells."""
_LATE = 3 * 3600
"""Seconds: older than what the collector lets through."""


def _refused(url: str, queries: set[str], **more: str) -> dict[str, str]:
    """Return what was answered to each query that is not one."""
    answers: dict[str, str] = {}
    with httpx.Client(timeout=30) as client:
        for query in sorted(queries):
            answer = client.get(url, params={"query": query, **more})
            if answer.status_code != httpx.codes.OK:
                answers[query] = answer.text
    return answers


def test_prometheus_understands_every_query(backends: Backends) -> None:
    queries = {query for page in WRITTEN for query in page.blocks("promql")}
    assert _refused(f"{backends.endpoints.prometheus}/api/v1/query", queries) == {}


def test_loki_understands_every_query(backends: Backends) -> None:
    queries = {query for page in WRITTEN for query in page.blocks("logql")}
    asked = {"limit": "1", "since": "1m", "step": "60"}
    assert _refused(f"{backends.endpoints.loki}/loki/api/v1/query_range", queries, **asked) == {}


def test_alertmanager_understands_every_silence(backends: Backends, binaries: dict[str, Path]) -> None:
    words = [page.part("Silence").partition("Matchers: `")[2].partition("`")[0].split() for page in PAGES.values()]
    matchers = [matcher for each in words for matcher in each]
    where = f"--alertmanager.url={backends.endpoints.alertmanager}"
    command = [str(binaries["amtool"]), where, "silence", "query", *matchers]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_series_of_others_that_the_pages_name_are_there(backends: Backends) -> None:
    points = gauge_request("runbooks", ("runbooks.now", {}), ("runbooks.late", {}), ages={"runbooks.late": _LATE})
    assert backends.send(points) == 200
    eventually(lambda: {name for name in FOREIGN - _PROMETHEUSS if f"\n{name}{{" not in _told(backends)} == set())


def _told(backends: Backends) -> str:
    """Return what every component of the stack tells whoever scrapes it."""
    targets: Any = httpx.get(f"{backends.endpoints.prometheus}/api/v1/targets", timeout=30).json()
    addresses = [each["scrapeUrl"] for each in targets["data"]["activeTargets"]]
    return "\n".join(httpx.get(address, timeout=30).text for address in addresses)
