"""The files that containers and native processes share."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mita_otel.stack import versions
from mita_otel.stack.components import COLLECTOR_VARIABLES, PROMETHEUS_FLAGS, Layout, components, targets
from mita_otel.stack.ports import Ports

ROOT = versions.root()
COLLECTOR = ROOT / "collector"
FILES = {
    "otelcol": [COLLECTOR / "otelcol.yaml", *(COLLECTOR / "overlays").glob("*.yaml")],
    "jaeger": [COLLECTOR / "jaeger" / "jaeger.yaml"],
    "loki": [COLLECTOR / "loki" / "loki.yaml"],
}
LAYOUT = Layout(
    {name: Path("/bin") / name for name in ("otelcol-mita", "jaeger", "prometheus", "loki", "alertmanager")},
    COLLECTOR,
    Path("data/.."),
)


def otelcol() -> Any:
    return yaml.safe_load((COLLECTOR / "otelcol.yaml").read_text())


def used(component: str) -> dict[str, str]:
    """Every variable in a component's files, with its default."""
    text = "".join(file.read_text() for file in FILES[component])
    return {name: default or "" for name, default in re.findall(r"\$\{(?:env:)?(STACK_\w+)(?::-([^}]*))?\}", text)}


def given(component: str) -> dict[str, str]:
    return next(found for name, found in components(LAYOUT, Ports()).items() if name == component).environment


@pytest.fixture(scope="module")
def compose() -> Any:
    """The compose file, rendered by compose itself where there is one."""
    file = ROOT / "docker-compose.yaml"
    docker = shutil.which("docker")
    command = [docker or "docker", "compose", "--file", str(file), "--profile", "app"]
    if docker and subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
        shown = subprocess.run([*command, "config", "--format", "json"], capture_output=True, check=True)
        return json.loads(shown.stdout)
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("component", FILES)
def test_a_native_process_sets_only_variables_that_its_files_use(component: str) -> None:
    assert set(given(component)) - set(used(component)) == set()


@pytest.mark.parametrize("component", FILES)
def test_a_variable_that_nobody_sets_is_one_that_a_user_may_set(component: str) -> None:
    assert set(used(component)) - set(given(component)) - set(COLLECTOR_VARIABLES) == set()


@pytest.mark.parametrize("component", FILES)
def test_defaults_in_the_files_are_what_a_native_process_gets_on_standard_ports(component: str) -> None:
    paths = {"STACK_DATA_DIR", "STACK_QUEUE_DIR", "STACK_LOKI_RULES_DIR"}
    set_natively = {name: value for name, value in given(component).items() if name not in paths}
    assert {name: used(component)[name] for name in set_natively} == set_natively


@pytest.mark.parametrize("component", FILES)
def test_compose_sets_only_variables_that_the_files_use(component: str, compose: Any) -> None:
    environment = compose["services"][component]["environment"]
    assert {name for name in environment if name.startswith("STACK_")} - set(used(component)) == set()


def test_prometheus_gets_the_same_flags_from_compose_as_natively(compose: Any) -> None:
    command = compose["services"]["prometheus"]["command"]
    assert set(PROMETHEUS_FLAGS) < set(command)
    assert set(PROMETHEUS_FLAGS) < set(components(LAYOUT, Ports())["prometheus"].command)


def test_prometheus_scrapes_the_same_jobs_natively_as_in_containers() -> None:
    native = yaml.safe_load(targets(Ports())["scrape.yml"])
    containers = yaml.safe_load((COLLECTOR / "prometheus" / "targets" / "scrape.yml").read_text())
    ports = {row["labels"]["job"]: row["targets"][0].rpartition(":")[2] for row in native}
    assert ports == {row["labels"]["job"]: row["targets"][0].rpartition(":")[2] for row in containers}


def test_everything_is_published_on_loopback_only() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_default_address_of_the_collector_is_loopback() -> None:
    assert used("otelcol")["STACK_BIND"] == used("jaeger")["STACK_BIND"] == used("loki")["STACK_BIND"] == "127.0.0.1"


@pytest.mark.parametrize(("pipeline", "first"), [("traces/in", 2), ("logs", 2), ("metrics", 1)])
def test_memory_limiter_is_first_and_redaction_second(pipeline: str, first: int) -> None:
    processors = otelcol()["service"]["pipelines"][pipeline]["processors"]
    assert processors[:first] == ["memory_limiter", "redaction"][:first]


def test_no_pipeline_has_a_batch_processor() -> None:
    files = [COLLECTOR / "otelcol.yaml", *(COLLECTOR / "overlays").glob("*.yaml")]
    assert [file.name for file in files if "batch" in yaml.safe_load(file.read_text()).get("processors", {})] == []


def test_the_collector_uses_only_what_the_image_of_the_contrib_distribution_holds() -> None:
    # Source: `distributions` in the metadata.yaml of each component's module; healthcheckv2, for one, is in none.
    contrib = {
        "bearertokenauth",
        "file_storage",
        "filter",
        "forward",
        "memory_limiter",
        "otlp",
        "otlp_grpc",
        "otlp_http",
        "redaction",
        "span_metrics",
        "tail_sampling",
        "transform",
    }
    kinds = ("extensions", "receivers", "processors", "connectors", "exporters")
    files = [yaml.safe_load(file.read_text()) for file in FILES["otelcol"]]
    used_types = {name.partition("/")[0] for file in files for kind in kinds for name in file.get(kind, {})}
    assert used_types == contrib


def test_every_exporter_batches_inside_a_queue_on_disk_and_never_gives_up() -> None:
    for exporter in otelcol()["exporters"].values():
        assert exporter["sending_queue"]["storage"] == "file_storage/queue"
        assert exporter["sending_queue"]["batch"]["max_size"] > 0
        assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"


def test_span_metrics_see_spans_before_sampling() -> None:
    overlay = yaml.safe_load((COLLECTOR / "overlays" / "tail-sampling.yaml").read_text())
    assert "span_metrics" in otelcol()["service"]["pipelines"]["traces/in"]["exporters"]
    assert list(overlay["service"]["pipelines"]) == ["traces/out"]


def test_loki_indexes_four_bounded_labels() -> None:
    loki = yaml.safe_load((COLLECTOR / "loki" / "loki.yaml").read_text())
    otlp = loki["limits_config"]["otlp_config"]
    rows = [*otlp["resource_attributes"]["attributes_config"], *otlp["log_attributes"]]
    indexed = {name for row in rows if row["action"] == "index_label" for name in row["attributes"]}
    assert otlp["resource_attributes"]["ignore_defaults"] is True
    assert indexed == {"service.name", "service.namespace", "deployment.environment.name", "mita.log.stream"}


def test_grafana_links_exemplars_to_traces_traces_to_logs_and_metrics_logs_to_traces() -> None:
    file = COLLECTOR / "grafana" / "provisioning" / "datasources" / "mita.yaml"
    sources = {row["uid"]: row["jsonData"] for row in yaml.safe_load(file.read_text())["datasources"]}
    assert sources["prometheus"]["exemplarTraceIdDestinations"][0]["datasourceUid"] == "jaeger"
    assert sources["jaeger"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert sources["jaeger"]["tracesToMetrics"]["datasourceUid"] == "prometheus"
    assert sources["loki"]["derivedFields"][0]["datasourceUid"] == "jaeger"
