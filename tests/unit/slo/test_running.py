import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel import slo
from mita_otel.degradation import context
from mita_otel.metrics.catalogue import slo as catalogue
from mita_otel.settings import Settings, SettingsError
from tests.fixtures.polling import find_free_port
from tests.unit.slo import openslo


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()
    slo.use(None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slo.yaml"
    path.write_text(openslo.text(openslo.service(), openslo.slo(about="delivery", ratio=openslo.EVENTS)))
    return path


def _points(reader: InMemoryMetricReader, name: str) -> dict[tuple[Any, ...], float]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == name]
    return {tuple((p.attributes or {}).values()): p.value for m in metrics for p in m.data.data_points}  # type: ignore[union-attr]


def test_every_outcome_begins_at_zero(file: Path, provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider)
    series = [("orders-availability", "good"), ("orders-availability", "bad")]
    assert _points(reader, "mita.slo.events") == dict.fromkeys(series, 0)


def test_events_are_counted_by_their_outcome(file: Path, provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider)
    for good in (True, True, False):
        slo.event("orders", good=good)
    assert list(_points(reader, "mita.slo.events").values()) == [2, 1]
    assert _points(reader, "mita.slo.objective") == {("orders-availability",): 0.999}


def test_what_an_objective_is_about_can_be_joined_with_the_others(
    file: Path, provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider)
    (about,) = _points(reader, "mita.slo.info")
    assert about[0] == "orders-availability"
    assert about[-1] == "30d"
    assert len(about) == len(catalogue.INFO.attributes)


def test_where_the_stages_of_the_policy_begin_is_told(
    file: Path, provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider)
    begins = {stage: begin for (_, stage, _), begin in _points(reader, "mita.slo.stage").items()}
    assert begins == {"normal": 0, "caution": 0.25, "slowdown": 0.5, "freeze": 0.75, "exhausted": 1}


def test_without_a_file_events_cost_nothing_and_do_nothing(provider: MeterProvider) -> None:
    assert slo.start(Settings.read({}), provider) is None
    slo.event("orders", good=False)


def test_a_file_that_cannot_be_used_is_logged_with_its_lines(
    file: Path, provider: MeterProvider, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("kind: Nothing")
    with caplog.at_level(logging.ERROR, "mita_otel.slo"):
        assert slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider) is None
    assert f"{file}:1: kind" in caplog.text or f"{file}:1:" in caplog.text


def test_a_file_that_cannot_be_used_ends_a_strict_process(file: Path, provider: MeterProvider) -> None:
    file.write_text("kind: Nothing")
    with pytest.raises(slo.SpecificationError):
        slo.start(Settings.read({"MITA_SLO_FILE": str(file), "MITA_STRICT": "1"}), provider)


def test_flags_are_decided_by_the_budgets_of_a_process_that_has_some(file: Path, provider: MeterProvider) -> None:
    slo.start(Settings.read({"MITA_SLO_FILE": str(file)}), provider)
    slo.event("orders", good=False)
    assert context().attributes["slo.orders-availability.budget_remaining"] == pytest.approx(-999)
    assert context().attributes["slo.orders-availability.burn_1h"] == pytest.approx(1000)
    slo.use(None)
    assert not [name for name in context().attributes if name.startswith("slo.")]


@pytest.mark.parametrize("url", ["http://:secret@redis:6379", "redis://", "redis", "redis:// host"])
def test_what_is_no_url_of_redis_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="is not allowed: it takes a URL that begins with redis") as caught:
        Settings.read({"MITA_SLO_REDIS_URL": url})
    assert "MITA_SLO_REDIS_URL" in caught.value.problems
    assert "secret" not in str(caught.value)
    assert "secret" not in str(Settings.read({"MITA_SLO_REDIS_URL": "redis://:secret@redis:6379/0"}))


def test_a_redis_that_is_not_there_costs_nothing_but_what_others_know(file: Path, provider: MeterProvider) -> None:
    url = f"redis://127.0.0.1:{find_free_port()}/0"
    objectives = slo.start(Settings.read({"MITA_SLO_FILE": str(file), "MITA_SLO_REDIS_URL": url}), provider)
    assert objectives is not None
    slo.event("orders", good=True)
    told = objectives.report()
    assert (told["source"], told["scope"], told["replicas"], told["slos"][0]["good"]) == ("process", "process", None, 1)
    [(name, close)] = objectives.closings
    with pytest.raises(redis.ConnectionError):
        close(5)
    assert name == "objectives"
