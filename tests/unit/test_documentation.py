"""What the documentation says is so."""

import re
import subprocess
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import pytest
import yaml

from mita_otel.generate import PAGES as GENERATED
from mita_otel.generate.settings_page import OTLP_OPTIONS
from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED
from mita_otel.settings import OTEL_DEFAULTS, Settings, table
from mita_otel.slo import series
from tests.fixtures.service import ROOT, clean_environment

PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_AUDIT: Final = "tests/integration/logs/audit/test_documentation.py::test_the_steps_of_the_page"
_SLO: Final = "tests/unit/cli/test_slo.py"
_STEPS: Final = "tests/integration/test_getting_started.py"
ELSEWHERE: Final[Mapping[str, str]] = {
    "make demo": "tests/integration/demo/test_demo.py::test_make_demo_says_where_to_look",
    "make test": ".ci/run",
    'pip install "mita-otel[console]"': f"{_STEPS}::test_the_package_has",
    "mita-otel console": f"{_STEPS}::shop",
    "OTEL_SERVICE_NAME=shop opentelemetry-instrument uvicorn main:app": f"{_STEPS}::shop",
    "curl --silent --include http://127.0.0.1:8000/orders/7": f"{_STEPS}::test_the_answer",
    "mita-otel audit migrate --database sqlite:///shop.db": _AUDIT,
    "mita-otel audit verify --database sqlite:///shop.db": _AUDIT,
    "mita-otel audit export --database sqlite:///shop.db": _AUDIT,
    "mita-otel audit spool --folder journals": _AUDIT,
    "mita-otel slo validate collector/slo/mita.yaml": f"{_SLO}::test_a_file_that_can_be_used_is_valid",
    "mita-otel slo export collector/slo/mita.yaml --to pyrra": "tests/unit/slo/test_formats.py::test_the_commands",
    "mita-otel slo explain service-availability --window 7d": f"{_SLO}::test_what_spent_the_budgets_is_told",
    "mita-otel slo gate --min-budget 0.25 --max-burn-1h 6": f"{_SLO}::test_a_spent_budget_stops_a_deployment",
    "mita-otel alerts receivers receivers": "tests/unit/alerts/test_channels.py::test_the_command_writes_what",
    "mita-otel alerts validate": "tests/stack/test_alert_routes.py::test_everything_of_the_stack_would_be_taken",
    "mita-otel doctor": f"{_STEPS}::test_the_doctor_finds",
    "mita-otel doctor --app main:app": f"{_STEPS}::test_the_doctor_finds",
    "mita-otel doctor --service http://127.0.0.1:8000": f"{_STEPS}::test_the_doctor_asks",
}
"""Commands of `sh` blocks that need something around them, and what runs them; every other one is run here."""

READ_BY_OTHERS: Final = {"OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER_ARG", "OTEL_PYTHON_DISTRO"}
"""Variables that the SDK and its launcher read, not we."""


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def _commands(pages: list[Path]) -> list[str]:
    lines = chain.from_iterable(block.splitlines() for page in pages for block in _blocks(page, "sh"))
    return list(dict.fromkeys(line for line in lines if line.strip()))


def _named(pattern: str) -> set[str]:
    """What matches in pages that people wrote."""
    written = [page for page in PAGES if str(page.relative_to(ROOT)) not in GENERATED]
    return {match for page in written for match in re.findall(pattern, page.read_text())}


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == GENERATED[name](), "run 'make docs'"


@pytest.mark.parametrize("path", [p for p in PAGES if _blocks(p, "python")], ids=lambda path: path.name)
def test_python_in_the_documentation_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in _blocks(path, "python"):
        exec(compile(block, str(path), "exec"), {})


@pytest.mark.parametrize("path", [p for p in PAGES if _blocks(p, "yaml")], ids=lambda path: path.name)
def test_yaml_in_the_documentation_can_be_read(path: Path) -> None:
    assert [block for block in _blocks(path, "yaml") if not yaml.safe_load(block)] == []


@pytest.mark.parametrize("command", [command for command in _commands(PAGES) if command not in ELSEWHERE])
def test_a_command_of_the_documentation_works(command: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        command, shell=True, cwd=tmp_path, env=clean_environment({}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.strip() != ""


@pytest.mark.parametrize("command", ELSEWHERE)
def test_a_command_that_needs_something_around_it_is_run_where_the_table_says(command: str) -> None:
    assert command in _commands(PAGES), "no page has it any more"
    file, _, name = ELSEWHERE[command].partition("::")
    assert re.search(rf"def {name}" if name else command, (ROOT / file).read_text())


def test_a_command_of_the_readme_starts_with_make() -> None:
    assert _commands([ROOT / "README.md"]) == ["make demo", "make test"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_variable_that_a_page_names_is_read_by_something() -> None:
    read = {row["name"] for row in table()} | OTEL_DEFAULTS.keys() | READ_BY_OTHERS
    read |= {f"OTEL_EXPORTER_OTLP_{option}" for option in OTLP_OPTIONS}
    sources = [*(ROOT / "mita_otel").rglob("*.py"), *(ROOT / "collector").rglob("*.yaml")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    assert {name for name in _named(r"\b(?:MITA|OTEL|STACK)_[A-Z0-9_]*[A-Z0-9]\b") - read if name not in text} == set()


def test_every_metric_that_a_page_names_is_made() -> None:
    families = {instrument.prometheus_name for instrument in INSTRUMENTS.values()}
    families |= {made.name for made in DERIVED} | {series.REMAINING, series.AVAILABILITY}
    assert _named(r"`((?:mita|otel_sdk)_[a-z0-9_]+)(?:\{[^`]*)?`") - families - {"mita_otel"} == set()


def test_the_options_of_the_destination_are_those_that_are_read() -> None:
    source = (ROOT / "mita_otel" / "endpoint.py").read_text()
    read = set(re.findall(r'(?:text|own|general|wrong|name)\("([A-Z_]+)"', source))
    assert read == set(OTLP_OPTIONS)


@pytest.mark.parametrize(
    ("page", "number"),
    [
        ("how-it-works.md", f"{Settings().span_queue_size:,} items"),
        ("how-it-works.md", f"{Settings().cardinality_limit:,} series"),
        ("how-it-works.md", f"{Settings().shutdown_timeout:g} s"),
        ("how-it-works.md", f"every {Settings().metric_export_interval / 1000:g} s"),
        ("images/flow.svg", f"{Settings().span_queue_size:,} items"),
        ("images/flow.svg", f"{Settings().cardinality_limit:,} series"),
        ("images/flow.svg", f"{Settings().shutdown_timeout:g} s"),
        ("configuration.md", f"{Settings().span_queue_size:,}"),
        ("database-and-cache.md", f"`MITA_SLOW_QUERY_SECONDS` ({Settings().slow_query_seconds:g})"),
        ("database-and-cache.md", f"`MITA_N_PLUS_ONE` ({Settings().n_plus_one})"),
    ],
)
def test_a_number_is_the_default(page: str, number: str) -> None:
    assert number in (ROOT / "docs" / page).read_text()
