"""What starts telemetry in a program of `mita-instrument`, and instruments what others have modules for."""

import os
import sys
from pathlib import Path

import pytest

from tests.unit.cli.launching import launch

RUNS = "from mita_otel import bootstrap; print(bootstrap.running() is not None)"
LOADED = "import sys; print('packaging' in sys.modules, 'opentelemetry.instrumentation.distro' in sys.modules)"
CODE = """
import os
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class ShopInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **_):
        print("instrumented")

    def _uninstrument(self, **_):
        pass

class Broken(ShopInstrumentor):
    def _instrument(self, **_):
        raise RuntimeError("no shop today")

def tell():
    print("PYTHONPATH", os.environ["PYTHONPATH"])
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder to install packages into."""
    (tmp_path / "shop.py").write_text(CODE)
    return tmp_path


def install(folder: Path, group: str, point: str) -> None:
    """Install a package with one entry point."""
    told = folder / "shop-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[{group}]\nshop = shop:{point}\n")


def run(code: str, folder: Path, *, launcher: str = "mita-instrument", **environment: str) -> tuple[list[str], str]:
    """Run Python with what is installed; return what it prints, its logs among that, and its standard error."""
    variables = {"PYTHONPATH": str(folder), "OTEL_PYTHON_DISTRO": "mita", "OTEL_PYTHON_CONFIGURATOR": "mita"}
    ended = launch(sys.executable, "-c", code, launcher=launcher, **variables, **environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines(), ended.stderr


@pytest.mark.parametrize("launcher", ["mita-instrument", "opentelemetry-instrument"])
def test_an_instrumentor_of_another_package_runs_after_telemetry_does(installed: Path, launcher: str) -> None:
    install(installed, "opentelemetry_instrumentor", "ShopInstrumentor")
    assert run(RUNS, installed, launcher=launcher) == (["instrumented", "True"], "")


@pytest.mark.parametrize("names", ["shop", "redis, shop", "*"])
def test_an_instrumentor_that_was_switched_off_does_not_run(installed: Path, names: str) -> None:
    install(installed, "opentelemetry_instrumentor", "ShopInstrumentor")
    printed, _ = run(f"{RUNS}; {LOADED}", installed, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=names)
    assert printed == ["True", "False False"]


def test_the_loader_is_not_loaded_where_nobody_waits_for_it(installed: Path) -> None:
    assert run(LOADED, installed) == (["False False"], "")


def test_what_is_started_meanwhile_does_not_start_telemetry_and_what_the_program_starts_does(installed: Path) -> None:
    install(installed, "opentelemetry_pre_instrument", "tell")
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {RUNS!r}], check=True)"
    here = str(Path.cwd())
    printed, _ = run(child, installed)
    told = f"PYTHONPATH {here}{os.pathsep}{installed}"
    assert printed == [told, told, "True"], "the child is told as well"


@pytest.mark.parametrize("environment", [{"OTEL_SDK_DISABLED": "true"}, {"MITA_QUEUE_SIZE": "many"}], ids=str)
def test_without_telemetry_the_program_runs(installed: Path, environment: dict[str, str]) -> None:
    install(installed, "opentelemetry_instrumentor", "ShopInstrumentor")
    printed, _ = run("print('ran')", installed, **environment)
    assert printed[-1] == "ran"


def test_a_failure_of_others_is_told_and_the_program_runs_with_telemetry(installed: Path) -> None:
    install(installed, "opentelemetry_instrumentor", "Broken")
    printed, _ = run(RUNS, installed)
    assert "True" in printed
    assert any("ERROR" in line and "no shop today" in line for line in printed)
