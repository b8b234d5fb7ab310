"""The wheel whose hot path is compiled does what its sources do."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.service import ROOT
from tests.fixtures.soak import SOAK

PACKAGE = ROOT / "mita_otel"
HOOKS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES: list[str] = HOOKS["custom"]["modules"]


@pytest.mark.parametrize("module", MODULES)
def test_no_compiled_function_calls_itself(module: str) -> None:
    # Compiled, it would know no limit of recursion.
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [function.name for function in functions if function.name in _called(function)] == []


def _called(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield what a function calls, of its module or of its own object."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)):
                yield name


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="a minute of compiling, and the rooms' tests a second time: make soak")
@pytest.mark.timeout(900)
def test_the_rooms_of_the_hot_path_pass_their_tests_compiled(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    assert compiler, "a compiled wheel needs a C compiler"
    environment = {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "true"}
    uv = [str(Path(sys.executable).with_name("uv")), "build", "--quiet", "--wheel", "-o", str(tmp_path), str(ROOT)]
    subprocess.run(uv, env=environment, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    tree = tmp_path / "tree"
    for name in ("mita_otel", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    built = list((tmp_path / "wheel" / "mita_otel").rglob("*.so"))
    assert len(built) == len(MODULES)
    for path in built:
        shutil.copy(path, tree / path.relative_to(tmp_path / "wheel"))
    rooms = [f"tests/unit/{room}" for room in ("traces", "metrics", "web", "export", "libraries", "slo")]
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q", *rooms], cwd=tree, check=False)
    assert ran.returncode == 0
