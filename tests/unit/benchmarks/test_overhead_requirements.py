import re
import tomllib

import pytest

from benchmarks.overhead.environments import REQUIREMENTS, ROOT
from benchmarks.overhead.report.conditions import pins
from benchmarks.overhead.variants import REQUESTS, SAMPLED, VARIANTS

_RUN = "run `python -m benchmarks.overhead --pin`"
_DISTRIBUTIONS = sorted({variant.distribution for variant in VARIANTS.values()})


@pytest.mark.parametrize("distribution", _DISTRIBUTIONS)
def test_every_requirement_is_pinned(distribution: str) -> None:
    lines = (REQUIREMENTS / f"{distribution}.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", line)] == []


@pytest.mark.parametrize("distribution", _DISTRIBUTIONS)
def test_the_application_has_the_same_libraries_everywhere(distribution: str) -> None:
    wanted = re.findall(r"^([a-z0-9-]+)(?:\[\w+\])?==(\S+)$", (REQUIREMENTS / "bare.in").read_text(), re.MULTILINE)
    assert len(wanted) >= 8
    assert pins(REQUIREMENTS / f"{distribution}.txt").items() >= set(wanted)


def test_ours_has_everything_the_project_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^a-z0-9-]", dependency, maxsplit=1)[0] for dependency in project["dependencies"]}
    assert names - pins(REQUIREMENTS / "ours.txt").keys() == set(), _RUN


def test_ours_has_the_versions_of_opentelemetry_that_the_project_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    exact = dict(dependency.split("==") for dependency in project["dependencies"] if "==" in dependency)
    assert exact.items() <= pins(REQUIREMENTS / "ours.txt").items(), _RUN


def test_every_peer_is_measured_whole_and_sampled() -> None:
    whole = {name for name in VARIANTS if not name.endswith(SAMPLED)}
    assert {name + SAMPLED for name in whole - {"bare"}} == set(VARIANTS) - whole


def test_a_variable_that_names_the_sink_gets_its_address() -> None:
    variables = VARIANTS["ddtrace-10"].environment("http://127.0.0.1:1")
    assert variables["DD_TRACE_AGENT_URL"] == "http://127.0.0.1:1"
    assert variables["DD_TRACE_SAMPLING_RULES"] == '[{"sample_rate": 0.1}]'


def test_every_request_owes_a_span_of_the_server() -> None:
    assert all(due.spans["server"] == 1 for due in REQUESTS.values())
