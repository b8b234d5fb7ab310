"""The demonstration with the real backends."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mita_otel import demo
from mita_otel.metrics.catalogue import INSTRUMENTS, business, instruments_of
from mita_otel.metrics.derived import DERIVED
from mita_otel.metrics.instrument import OURS
from mita_otel.stack import NativeStack
from mita_otel.stack.model import silent
from tests.fixtures.polling import eventually
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_one_round_finds_its_trace_its_lines_and_its_metric(binaries: dict[str, Path], demo_folder: Path) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "mita-otel"), "demo", "--stack", "--once", "--json", "--seconds", "5", "--folder", demo_folder],
        env=clean_environment({}), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["linked"] is True
    assert all(count > 0 for count in report["found"].values())
    assert min(report["traces"], report["logs"], report["metrics"]) > 0


@pytest.fixture
def families(stack: NativeStack, demo_folder: Path) -> Iterator[set[str]]:
    """The families of metrics that Prometheus has of the demonstration, once its user has done everything."""
    stack.up(standard=False)
    backends = demo.StackBackends(stack.endpoints)
    with demo.running(demo_folder, ROOT, demo.Ports.chosen(), silent, backends=backends) as started:
        traffic = demo.Traffic(started.url)
        traffic.sign_up()
        traffic.tour()
        wanted = {instrument.prometheus_name for instrument in instruments_of(business)}

        def all_there() -> bool:
            missing = wanted - _families(stack)
            assert not missing, missing
            return True

        eventually(all_there, timeout=120)
        # What the rules derive, they derive every 15 s.
        eventually(
            lambda: {row.name for row in DERIVED} - {"mita_database_connection_timeouts_total"} <= _families(stack),
            timeout=60,
        )
        yield _families(stack)


def _families(stack: NativeStack) -> set[str]:
    """Return the names that begin with ours; a histogram's three series are one family.

    Those with a colon are the rules' of the objectives, which their own tests hold.
    """
    asked = {"match[]": '{service_name="mita-finance"}'}
    url = f"{stack.endpoints.prometheus}/api/v1/label/__name__/values"
    names: list[str] = httpx.get(url, params=asked, timeout=30).json()["data"]
    histograms = {name.removesuffix("_bucket") for name in names if name.endswith("_bucket")}
    parts = {f"{histogram}{part}" for histogram in histograms for part in ("_bucket", "_count", "_sum")}
    return {name for name in {*names, *histograms} - parts if name.startswith("mita_") and ":" not in name}


def test_the_demonstration_feeds_at_least_sixty_metrics_of_the_report_and_no_other(families: set[str]) -> None:
    ours = {instrument.prometheus_name for instrument in INSTRUMENTS.values() if instrument.source == OURS}
    assert families - ours - {row.name for row in DERIVED} == set(), "not in the catalogue"
    assert len(families) >= 60, sorted(families)
