"""One version, many files: all of them say the same."""

import re
from pathlib import Path

import pytest
import yaml

from mita_otel.stack import versions
from mita_otel.stack.golang import parse_version

ROOT = versions.root()
PINNED = versions.read_versions()
IMAGES = {
    "otelcol": f"otel/opentelemetry-collector-contrib:{PINNED['OTELCOL_VERSION']}",
    "jaeger": f"jaegertracing/jaeger:{PINNED['JAEGER_VERSION']}",
    "prometheus": f"prom/prometheus:v{PINNED['PROMETHEUS_VERSION']}",
    "loki": f"grafana/loki:{PINNED['LOKI_VERSION']}",
    "alertmanager": f"prom/alertmanager:v{PINNED['ALERTMANAGER_VERSION']}",
    "grafana": f"grafana/grafana:{PINNED['GRAFANA_VERSION']}",
    "postgres": f"postgres:{PINNED['POSTGRES_VERSION']}",
    "valkey": f"valkey/valkey:{PINNED['VALKEY_VERSION']}",
}


def module_file(name: str) -> str:
    return (ROOT / "collector" / "build" / name / "go.mod").read_text()


def test_comments_and_blank_lines_of_an_env_file_are_left_out() -> None:
    assert versions.parse("# why\n\nA=1\n B = x=y \n") == {"A": "1", "B": "x=y"}


@pytest.mark.parametrize("service", IMAGES)
def test_compose_runs_the_pinned_image(service: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    assert compose["services"][service]["image"] == IMAGES[service]


def test_compose_runs_no_image_that_is_not_pinned() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    assert {name for name, service in compose["services"].items() if "image" in service} == set(IMAGES)


def test_the_builder_makes_the_pinned_collector_from_parts_of_its_version() -> None:
    recipe = yaml.safe_load((ROOT / "collector" / "build" / "otelcol-builder.yaml").read_text())
    parts = [part["gomod"].split()[1] for kind, parts in recipe.items() if kind != "dist" for part in parts]
    assert {recipe["dist"]["version"], *(part.removeprefix("v") for part in parts)} == {PINNED["OTELCOL_VERSION"]}


def test_the_builders_parts_are_pinned_by_the_committed_module_file() -> None:
    recipe = yaml.safe_load((ROOT / "collector" / "build" / "otelcol-builder.yaml").read_text())
    parts = [part["gomod"] for kind, parts in recipe.items() if kind != "dist" for part in parts]
    assert [part for part in parts if part not in module_file("otelcol")] == []


def test_the_wrapper_modules_require_the_pinned_versions() -> None:
    assert f"github.com/jaegertracing/jaeger v{PINNED['JAEGER_MODULE_VERSION']}\n" in module_file("jaeger")
    assert f"github.com/grafana/loki/v3 v{PINNED['LOKI_VERSION']} // indirect\n" in module_file("loki")
    assert f"github.com/Shopify/toxiproxy/v2 v{PINNED['TOXIPROXY_VERSION']} // indirect\n" in module_file("toxiproxy")


def test_the_pinned_go_is_new_enough_for_every_module() -> None:
    asked = [re.search(r"^go (\S+)$", module_file(name), re.MULTILINE) for name in ("otelcol", "jaeger", "loki")]
    newest = max(parse_version(found[1]) for found in asked if found)
    assert newest <= parse_version(PINNED["GO_VERSION"]) <= parse_version(PINNED["GO_WHEEL_VERSION"])


def test_the_image_of_the_service_is_of_the_pinned_python() -> None:
    assert f"FROM python:{PINNED['PYTHON_VERSION']}-slim\n" in (ROOT / "Dockerfile").read_text()


def test_no_other_file_of_the_configuration_names_an_image_version() -> None:
    files = [
        path for path in (ROOT / "collector").rglob("*.y*ml") if Path("build") not in path.relative_to(ROOT).parents
    ]
    named = [path.name for path in files if re.search(r"^\s*image:", path.read_text(), re.MULTILINE)]
    assert named == []
