"""What the documentation says is so."""

import re
from pathlib import Path

import pytest

from mita_otel.generate import PAGES as GENERATED

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
EXECUTED = {"make demo", "make test"}
"""`make demo` is run by the stack tests; `make test` is what runs this test."""


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == GENERATED[name](), "run 'make docs'"


@pytest.mark.parametrize("path", [p for p in PAGES if _blocks(p, "python")], ids=lambda path: path.name)
def test_python_in_the_documentation_runs(path: Path) -> None:
    for block in _blocks(path, "python"):
        exec(compile(block, str(path), "exec"), {})


def test_every_command_of_the_readme_is_executed_by_a_test() -> None:
    commands = {line for block in _blocks(ROOT / "README.md", "sh") for line in block.splitlines() if line.strip()}
    assert commands == EXECUTED


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
