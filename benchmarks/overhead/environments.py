"""An environment for each distribution, from pinned requirements, in the user's cache."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.overhead.variants import OURS
from mita_otel.stack.build import default_cache
from mita_otel.stack.state import exclusive

ROOT: Final = Path(__file__).parents[2]
APPLICATION: Final = Path(__file__).parent / "application"
REQUIREMENTS: Final = Path(__file__).parent / "requirements"
_READY: Final = "ready"
_SOURCES: Final = "sources"
_ALONE: Final = ("sqlalchemy==", "certifi==")
"""Pins of the lock file that do not hold here: contrib leaves SQLAlchemy 2.1 alone, and Logfire wants newer roots."""

Say = Callable[[str], None]


class SetupError(Exception):
    """An environment could not be made; the message has the tool's own words."""


@contextmanager
def alone(say: Say) -> Iterator[None]:
    """Keep other runs away: they would change the environments, and take the cores."""
    with exclusive(default_cache() / "benchmarks" / "lock", waiting=lambda: say("another run goes on: waiting")):
        yield


def prepare(distributions: Iterable[str], say: Say) -> dict[str, Path]:
    """Return the folder of programs of each distribution's environment; those that do not exist yet are made.

    Raises:
        SetupError: uv is missing, or could not install.
    """
    folder = default_cache() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: _environment(folder, name, say) for name in dict.fromkeys(distributions)}
    _compile(next(iter(made.values()), Path(sys.executable).parent), APPLICATION)
    return made


def _environment(folder: Path, name: str, say: Say) -> Path:
    wanted = REQUIREMENTS / f"{name}.txt"
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = folder / f"{name}-{digest}"
    programs = place / "bin"
    if not (place / _READY).exists():
        say(f"making the environment of {name}")
        _uv("venv", "--clear", "--python", sys.executable, str(place))
        # Byte code is made now: nobody's start is timed with the compiler.
        _uv("pip", "install", "--compile-bytecode", "--python", str(programs / "python"), "-r", str(wanted))
        (place / _READY).touch()
    if name == OURS:
        _install_ours(place, say)
    return programs


def _install_ours(place: Path, say: Say) -> None:
    """Install the checkout as a wheel, as a user has it, unless it is the one that is there."""
    digest, mark = _sources(), place / _SOURCES
    if mark.exists() and mark.read_text() == digest:
        return
    say("installing the checkout")
    python = str(place / "bin" / "python")
    # A wheel in uv's cache may be that of other sources.
    words = ("pip", "install", "--compile-bytecode", "--reinstall", "--no-cache", "--no-deps", "--python", python)
    _uv(*words, str(ROOT))
    mark.write_text(digest)


def _sources() -> str:
    """Return a digest of what a wheel is built from."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for path in sorted((ROOT / "mita_otel").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _compile(programs: Path, folder: Path) -> None:
    subprocess.run([str(programs / "python"), "-m", "compileall", "-q", str(folder)], check=True)


def pin(say: Say) -> None:
    """Write the pinned requirements anew: from the `.in` files, in the versions of the lock file where it has them.

    Raises:
        SetupError: uv is missing, or found no versions that fit.
    """
    exported = _uv("export", "--frozen", "--extra", "app", "--no-dev", "--no-emit-project", "--no-hashes")
    locked = [line for line in exported.splitlines() if not line.startswith(("#", " ", *_ALONE))]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(locked))
        constraints.flush()
        for wanted in sorted(REQUIREMENTS.glob("*.in")):
            if wanted.stem == "contrib":
                continue
            say(f"pinning {wanted.stem}")
            own = [str(ROOT / "pyproject.toml")] if wanted.stem == OURS else []
            pinned = _uv(
                *("pip", "compile", "--no-header", "--no-annotate", "--python-version", "3.11"),
                *("--constraint", constraints.name, str(wanted), *own),
            )
            wanted.with_suffix(".txt").write_text(pinned)


def _uv(*words: str) -> str:
    program = shutil.which("uv") or str(Path(sys.prefix) / "bin" / "uv")
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            [program, "--quiet", *words], cwd=ROOT, env=kept, check=True, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise SetupError("uv is missing: run `make setup`") from error
    except subprocess.CalledProcessError as error:
        raise SetupError(f"`uv {' '.join(words[:2])}` failed:\n{error.stderr.strip()}") from error
    return done.stdout
